import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { readCacheCluster } from "../../../engine/cache/state.ts";
import { exitCode } from "../../../engine/errors.ts";
import { runLoad, type LoadOptions, type LoadResult } from "../../../engine/load/run.ts";
import { whileDrained } from "../../../engine/process/drain.ts";
import { silent } from "../../../engine/progress.ts";
import { validateStaging } from "../../../engine/validation/validate.ts";
import { loadWorkload, type Workload } from "../../../engine/workload/manifest.ts";
import { startArchitect, type TestArchitect } from "../../support/architectStack.ts";
import { metricNamesOf } from "../../support/promql.ts";

let stack: TestArchitect;
let workload: Workload;
let reports: string;

beforeAll(async () => {
  workload = await loadWorkload("workloads/architect");
  reports = await mkdtemp(join(tmpdir(), "understudy-architect-reports-"));
  stack = await startArchitect({ instances: 2 });
});
afterAll(async () => {
  await stack?.stop();
  await rm(reports, { recursive: true, force: true });
});

type Changes = Partial<Pick<LoadOptions, "seconds" | "requestsPerSecond" | "onProgress">>;

const load = (profile: string, changes: Changes = {}) => runLoad({ target: stack.target, workload, profile, reportsFolder: reports, onProgress: silent, ...changes });

/** Load, and what happens once requests are under way. */
async function loadDuring(changes: Changes, meanwhile: () => Promise<void>): Promise<LoadResult> {
  const begun = Promise.withResolvers<void>();
  const running = load("light", { ...changes, onProgress: ({ step }) => void (step === "load" && begun.resolve()) });
  await Promise.race([begun.promise, running]);
  const [result] = await Promise.all([running, meanwhile()]);
  return result;
}

const problemsOf = ({ report }: LoadResult) => (report.load?.requests ?? []).flatMap(({ name, problems }) => problems.map(({ problem, times }) => `${name}: ${times} × ${problem}`));

/** Rows of every table that journeys write to. */
const rowCounts = () =>
  stack.sql(`SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM error_groups) AS errors, (SELECT count(*) FROM error_reports) AS reports,
    (SELECT count(*) FROM notifications) AS notifications, (SELECT count(*) FROM webhooks) AS webhooks, (SELECT count(*) FROM api_tokens) AS tokens`);

describe.sequential("the reference API on primary and replica, a Redis cluster, and two instances behind nginx", () => {
  it("does everything that the smoke tests ask, and keeps nothing of them", async () => {
    const before = await rowCounts();
    const { report, exitCode: code } = await load("smoke");
    expect(report.checks.filter(({ status }) => status !== "passed").map(({ id, evidence }) => `${id}: ${evidence}`)).toEqual([]);
    expect(report.checks.length).toBeGreaterThan(15);
    expect(code).toBe(exitCode.done);
    expect(await rowCounts()).toEqual(before);
  });

  it("passes its validation, journeys among it, and keeps nothing of that", async () => {
    const before = await rowCounts();
    const { report } = await validateStaging({ target: stack.target, workload, reportsFolder: reports, onProgress: silent });
    const notPassed = report.checks.filter(({ status }) => status !== "passed");
    expect(notPassed.filter(({ status }) => status !== "skipped").map(({ id, evidence }) => `${id}: ${evidence}`)).toEqual([]);
    expect(notPassed.map(({ id }) => id).sort()).toEqual([
      "infrastructure.alertmanager",
      "infrastructure.grafana",
      "infrastructure.prometheus-rules",
      "infrastructure.prometheus-targets",
      "integration.exporters",
    ]);
    expect(report.checks.filter(({ id }) => id.startsWith("application.journey-")).length).toBeGreaterThan(15);
    expect(report.checks.find(({ id }) => id === "integration.app-metrics")?.evidence).toContain("cache_hit_ratio, error_rate");
    expect(await rowCounts()).toEqual(before);
  });

  it("shows every metric of its own that alerts and dashboards read", async () => {
    const rules = parse(await readFile(workload.path("monitoring/alerts.yaml"), "utf8")) as { groups: { rules: { expr: string }[] }[] };
    const folder = workload.path("monitoring/dashboards");
    const panels = await Promise.all((await readdir(folder)).map(async (file) => [...(await readFile(join(folder, file), "utf8")).matchAll(/"expr": "((?:[^"\\]|\\.)*)"/g)].map(([, expr]) => JSON.parse(`"${expr}"`) as string)));
    const wanted = [...rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr)), ...panels.flat()].flatMap((expr) => metricNamesOf(expr.replaceAll("$__rate_interval", "5m")));
    const others = /^(up|ALERTS|pg_|redis_|nginx_|node_|understudy_)/;
    const own = [...new Set(wanted)].filter((name) => !others.test(name));
    const shown = await (await stack.instances[0]?.fetch("/metrics"))?.text();
    expect(own.length).toBeGreaterThan(15);
    expect(own.filter((name) => !new RegExp(`^${name}(\\{| )`, "m").test(shown ?? ""))).toEqual([]);
  });

  it("reads from the replica and writes to the primary", async () => {
    const counted = async (): Promise<Record<string, number>> => {
      const texts = await Promise.all(stack.instances.map(async (instance) => (await instance.fetch("/metrics")).text()));
      const sum = (query: string, server: string) =>
        texts.reduce((total, text) => total + Number(new RegExp(`^database_query_duration_seconds_count\\{query="${query}",server="${server}"\\} (\\d+)`, "m").exec(text)?.[1] ?? 0), 0);
      return { read: sum("list_events", "replica"), readPrimary: sum("list_events", "primary"), insertReplica: sum("insert_event", "replica"), insert: sum("insert_event", "primary") };
    };
    const before = await counted();
    await load("light", { seconds: 3, requestsPerSecond: 30 });
    const after = await counted();
    expect((after["read"] ?? 0) - (before["read"] ?? 0)).toBeGreaterThan(5);
    expect((after["insert"] ?? 0) - (before["insert"] ?? 0)).toBeGreaterThan(0);
    expect(after["insertReplica"]).toBe(0);
    // Nothing had just been written by those who only browse.
    expect(after["readPrimary"]).toBe(before["readPrimary"]);
  });

  it("fails no request while the replica and a Redis node are killed and come back", async () => {
    const result = await loadDuring({ seconds: 8, requestsPerSecond: 40 }, async () => {
      await stack.databases.stop("SIGKILL");
      await sleep(1_000);
      await stack.cache.kill(1);
      await sleep(800);
      await stack.cache.start(1);
      await stack.databases.start();
    });
    expect(problemsOf(result)).toEqual([]);
    expect(result.report.load?.all.requests).toBeGreaterThan(300);
    await expect.poll(async () => (await readCacheCluster(stack.cache)).problems, { timeout: 10_000 }).toEqual([]);
    await expect.poll(async () => (await stack.instances[0]?.fetch("/health"))?.json(), { timeout: 10_000 }).toMatchObject({ status: "healthy", components: { database: "healthy", cache: "healthy" } });
  });

  it("loses no request in a rolling restart, and each instance ends by itself", async () => {
    const result = await loadDuring({ seconds: 9, requestsPerSecond: 40 }, async () => {
      for (const instance of stack.instances) {
        const [health, code] = await Promise.all([sleep(600).then(async () => (await instance.fetch("/health")).status), whileDrained(instance.drainFile, () => instance.restart())]);
        // Who asks is told to send nothing more, while what comes is still answered.
        expect({ health, code }).toEqual({ health: 503, code: 0 });
      }
    });
    expect(problemsOf(result)).toEqual([]);
  });

  it("loses no more than what an instance that is killed was answering", async () => {
    const { report } = await loadDuring({ seconds: 4, requestsPerSecond: 40 }, async () => {
      await stack.instances[1]?.restart("SIGKILL");
    });
    expect(report.load?.all.failed).toBeLessThanOrEqual(4);
  });

  it("says which component is not well: without the replica degraded, without a Redis node degraded, and goes on", async () => {
    await stack.databases.stop("SIGKILL");
    const without = await stack.instances[0]?.fetch("/health");
    expect([without?.status, await without?.json()]).toEqual([200, expect.objectContaining({ status: "degraded", components: { database: "degraded", cache: "healthy", external_services: "healthy" } })]);
    await stack.databases.start();
    await stack.cache.kill(2);
    await expect.poll(async () => (await stack.instances[0]?.fetch("/health"))?.json(), { timeout: 5_000 }).toMatchObject({ status: "degraded", components: { database: "healthy", cache: "degraded" } });
    await stack.cache.start(2);
    await expect.poll(async () => (await stack.instances[0]?.fetch("/health"))?.json(), { timeout: 10_000 }).toMatchObject({ status: "healthy" });
  });

  it("planted: an instance whose database is not there is unhealthy with 503, and a journey of the smoke tests fails", async () => {
    await stack.databases.stop("SIGKILL");
    await stack.sql("ALTER ROLE staging_user NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'staging_user'");
    try {
      const answer = await stack.instances[0]?.fetch("/health");
      expect([answer?.status, await answer?.json()]).toEqual([503, expect.objectContaining({ status: "unhealthy" })]);
    } finally {
      await stack.sql("ALTER ROLE staging_user LOGIN");
      await stack.databases.start();
    }
    await stack.sql("ALTER TABLE notifications ADD CONSTRAINT planted CHECK (title NOT LIKE 'understudy load%') NOT VALID");
    const { report, exitCode: code } = await load("smoke");
    expect(report.checks.filter(({ status }) => status === "failed").map(({ id, evidence }) => `${id}: ${evidence}`)).toEqual([
      "smoke.notifications: create-notification (POST /api/notifications): status 500, expected status 201",
    ]);
    expect(code).toBe(exitCode.checkFailed);
    await stack.sql("ALTER TABLE notifications DROP CONSTRAINT planted");
  });
});
