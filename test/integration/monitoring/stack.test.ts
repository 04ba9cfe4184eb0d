import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { startMonitoring, type TestMonitoring } from "../../support/monitoring.ts";
import { metricNamesOf } from "../../support/promql.ts";

let monitoring: TestMonitoring;
beforeAll(async () => {
  monitoring = await startMonitoring();
  const cookie = await monitoring.app.signIn("customer@staging.local");
  await monitoring.nginx.get("/stories");
  await monitoring.app.fetch("/api/orders", {
    method: "POST",
    headers: { cookie, "content-type": "application/json" },
    body: JSON.stringify({ storySlug: "story-1" }),
  });
  await vi.waitFor(async () => expect(await monitoring.query("up == 1")).toHaveLength(Object.keys(monitoring.jobs).length), {
    timeout: 40_000,
    interval: 300,
  });
});
afterAll(() => monitoring.stop());

const alerts = (parse(readFileSync("workloads/stories/monitoring/alerts.yaml", "utf8")) as { groups: { rules: { alert: string; expr: string }[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const folder = "workloads/stories/monitoring/dashboards";
const panels = readdirSync(folder).flatMap((file) => {
  const { panels: all } = JSON.parse(readFileSync(`${folder}/${file}`, "utf8")) as { panels: { title: string; targets?: { expr: string }[] }[] };
  return all.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: `${file}: ${title}`, expr })));
});
const expressions = [...alerts.map(({ alert, expr }) => ({ where: alert, expr })), ...panels];

/** Not scraped: Prometheus makes it from the rules. */
const madeByPrometheusItself = ["ALERTS"];

describe("what alerts and dashboards read", () => {
  const known = async (): Promise<Set<string>> => {
    const answer = await fetch(`http://127.0.0.1:${monitoring.prometheusPort}/api/v1/label/__name__/values`);
    return new Set([...((await answer.json()) as { data: string[] }).data, ...madeByPrometheusItself]);
  };
  const unknown = (all: readonly { where: string; expr: string }[], names: ReadonlySet<string>): string[] =>
    all.flatMap(({ where, expr }) => metricNamesOf(expr).filter((name) => !names.has(name)).map((name) => `${where}: ${name}`));

  test("every metric is exported by the real exporters and the app", async () => {
    expect(expressions.flatMap(({ expr }) => metricNamesOf(expr)).length).toBeGreaterThan(60);
    expect(unknown(expressions, await known())).toEqual([]);
  });

  test("planted: a metric that nobody exports is found", async () => {
    expect(unknown([{ where: "x", expr: "rate(pg_stat_database_xact_comit[5m])" }], await known())).toEqual(["x: pg_stat_database_xact_comit"]);
  });

  test("every label that is selected has such a value", async () => {
    const selectors = expressions.flatMap(({ where, expr }) =>
      [...expr.matchAll(/(\w+)\{([^}]+)\}/g)].flatMap(([, metric = "", inner = ""]) =>
        [...inner.matchAll(/(\w+)(=)"([^"]+)"/g)].map(([, label, , value]) => ({ where, selector: `${metric}{${label}="${value}"}` })),
      ),
    );
    expect(selectors.length).toBeGreaterThan(5);
    for (const { where, selector } of selectors.filter(({ selector: text }) => !text.startsWith("ALERTS"))) {
      expect((await monitoring.query(selector)).length, `${where}: ${selector}`).toBeGreaterThan(0);
    }
  });

  test("Prometheus can run every query of the dashboards", async () => {
    for (const { where, expr } of panels) {
      await expect(monitoring.query(expr.replaceAll("$__rate_interval", "1m")), where).resolves.toBeInstanceOf(Array);
    }
  });
});

describe("Prometheus", () => {
  test("has loaded the rules, knows its Alertmanager, and says which stack it is of", async () => {
    const rules = await fetch(`http://127.0.0.1:${monitoring.prometheusPort}/api/v1/rules`);
    const { data } = (await rules.json()) as { data: { groups: { rules: { name: string; health: string }[] }[] } };
    expect(data.groups.flatMap((group) => group.rules.map(({ name }) => name)).sort()).toEqual(alerts.map(({ alert }) => alert).sort());
    const managers = await fetch(`http://127.0.0.1:${monitoring.prometheusPort}/api/v1/alertmanagers`);
    expect(await managers.json()).toMatchObject({ data: { activeAlertmanagers: [{ url: `http://127.0.0.1:${monitoring.alertmanagerPort}/api/v2/alerts` }] } });
  });

  test("a healthy stack raises no alert", async () => {
    await expect
      .poll(async () => (await monitoring.query("count(ALERTS)")).length, { timeout: 15_000 })
      .toBe(0);
  });
});

describe("secrets", () => {
  test("none stands in a process listing", () => {
    for (const [name, child] of Object.entries(monitoring.children)) {
      const commandLine = readFileSync(`/proc/${child.process.pid}/cmdline`, "utf8");
      expect(commandLine.length, name).toBeGreaterThan(10);
      for (const secret of [monitoring.app.redis.password, monitoring.app.staging.passwords.readOnly]) expect(commandLine, name).not.toContain(secret);
    }
  });

  test("none is exported or logged", async () => {
    for (const [job, port] of Object.entries(monitoring.jobs)) {
      const text = (await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()) + (monitoring.children[job]?.output() ?? "");
      for (const secret of [monitoring.app.redis.password, ...Object.values(monitoring.app.staging.passwords)]) expect(text, job).not.toContain(secret);
    }
  });
});

describe("planted faults", () => {
  const pending = async (): Promise<string[]> => [...new Set((await monitoring.query("ALERTS")).map(({ metric }) => metric["alertname"] ?? ""))];

  test("what is stopped is seen as down by its alert", async () => {
    monitoring.children["node"]?.process.kill("SIGKILL");
    await monitoring.app.redis.stop("SIGKILL");
    await monitoring.nginx.child.stop();
    await monitoring.app.postgres.stop("immediate");
    await expect
      .poll(async () => (await pending()).filter((name) => /Down|Unseen/.test(name)).sort(), { timeout: 30_000, interval: 500 })
      .toEqual(["CacheDown", "DatabaseDown", "ProxyDown", "RoleMigrationUnseen", "TargetDown"]);
    for (const expression of ["redis_up == 0", "pg_up == 0", "nginx_up == 0", 'up{job="node"} == 0']) {
      await expect.poll(async () => (await monitoring.query(expression)).length, { timeout: 20_000, interval: 300, message: expression }).toBe(1);
    }
    expect((await monitoring.query('app_component_up{component="app"} == 1')).length).toBe(1);
  });
});
