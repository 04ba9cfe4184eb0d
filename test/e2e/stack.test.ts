import { execFile, execFileSync } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { Client, type QueryResultRow } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layoutOf, stateRoot } from "../../engine/process/layout.ts";
import { leftoversOf } from "../../engine/process/leftovers.ts";
import { listenerOn, processesOf } from "../../engine/process/proc.ts";
import { findEngine } from "../../tools/engine.ts";
import { findProgram } from "../../engine/process/findProgram.ts";
import { openBrowser } from "../support/browser.ts";
import { get, listing, outputsOf, projectRoot, readState, understudy, understudyOk, type Outputs } from "../support/understudy.ts";

const run = promisify(execFile);
const noLanguageHost = findProgram("pulumi-language-nodejs") === undefined ? "pulumi-language-nodejs is in no registry and not on PATH" : undefined;
const stack = "e2e";
let outputs: Outputs;

async function query<Row extends QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

const changes = async (...args: string[]) => {
  const { stdout } = await understudyOk("preview", "--stack", stack, "--json", ...args);
  const plan = JSON.parse(stdout) as { changes: { resource: string; operation: string }[] };
  return plan.changes.filter(({ operation }) => operation !== "same").map(({ resource, operation }) => `${operation} ${resource}`).sort();
};

beforeAll(async () => {
  await understudy("destroy", "--stack", stack, "--yes", "--purge");
  const before = await listing(join(projectRoot, ".understudy"));
  const preview = await understudyOk("preview", "--stack", stack, "--set", "portOffset=auto");
  expect(preview.stdout).toMatch(/\d+ to create/);
  expect(await listing(join(projectRoot, ".understudy"))).toEqual(before);
  const up = await understudyOk("up", "--stack", stack, "--port-offset", "auto");
  expect(up.stdout).toContain(`ready stack ${stack}`);
  outputs = await outputsOf(stack);
});

afterAll(async () => {
  await understudy("destroy", "--stack", stack, "--yes", "--purge");
});

describe("a stack that is up", () => {
  it("is healthy through nginx, every component", async () => {
    const { status, text, headers } = await get(outputs.urls["health"] ?? "");
    expect(status).toBe(200);
    const health = JSON.parse(text) as { status: string; components: Record<string, { status: string }> };
    expect(health.status).toBe("healthy");
    for (const [name, component] of Object.entries(health.components)) expect(component.status, name).toBe("healthy");
    expect(headers["x-environment"]).toBe("STAGING");
  });

  it("has its reports, and they are green", async () => {
    for (const kind of ["test-data-summary", "migration-test-report", "staging-validation-report"]) {
      const names = (await readdir(join(projectRoot, "staging-backups"))).filter((name) => name.startsWith(`${kind}-${stack}-`));
      const json = names.find((name) => name.endsWith(".json"));
      expect(json, kind).toBeTypeOf("string");
      const report = JSON.parse(await readFile(join(projectRoot, "staging-backups", json ?? ""), "utf8")) as { verdict: string };
      expect(report.verdict, kind).toBe("passed");
    }
    expect((await readdir(join(projectRoot, "staging-backups"))).some((name) => name.startsWith(`staging-backup-${stack}-`) && name.endsWith(".sql.gz"))).toBe(true);
  });

  it("holds ten users at most, none with a real address", async () => {
    const [row] = await query<{ users: string; real: string }>(
      outputs.environment["DATABASE_URL"] ?? "",
      `SELECT count(*) AS users, count(*) FILTER (WHERE email NOT LIKE '%@staging.local') AS real FROM "User"`,
    );
    expect(Number(row?.users)).toBeGreaterThan(0);
    expect(Number(row?.users)).toBeLessThanOrEqual(10);
    expect(Number(row?.real)).toBe(0);
  });

  it("shows no secret in its state, in any argument, in a log or a report", async () => {
    const secrets = Object.entries(outputs.environment).filter(([name]) => !name.startsWith("UNDERSTUDY_") && name !== "NEXTAUTH_URL");
    const values = secrets.flatMap(([, value]) => (value.includes("://") ? [decodeURIComponent(new URL(value).password)] : [value])).filter((value) => value !== "");
    expect(values.length).toBeGreaterThanOrEqual(5);
    const texts: [string, string][] = [["state", await readState(stack)]];
    for (const { pid } of await processesOf(layoutOf(outputs.stackId))) texts.push([`argv of ${pid}`, await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")]);
    const { folder } = layoutOf(outputs.stackId);
    for (const place of [join(folder, "log"), join(projectRoot, "staging-backups")]) {
      for (const name of await readdir(place, { recursive: true })) {
        const file = join(place, name);
        if (place.endsWith("staging-backups") && !name.includes(`-${stack}-`)) continue;
        if ((await stat(file)).isFile()) texts.push([file, await readFile(file, "latin1")]);
      }
    }
    for (const [where, text] of texts) for (const value of values) expect(text.includes(value), `${where} shows a secret`).toBe(false);
  });

  it("listens on loopback only", async () => {
    const pids = new Set((await processesOf(layoutOf(outputs.stackId))).map(({ pid }) => pid));
    const lines = execFileSync("ss", ["-ltnpH"], { encoding: "utf8" }).split("\n");
    const own = lines.filter((line) => [...line.matchAll(/pid=(\d+)/g)].some(([, pid]) => pids.has(Number(pid))));
    expect(own.length).toBeGreaterThanOrEqual(12);
    for (const line of own) expect(line.split(/\s+/)[3]).toMatch(/^(127\.0\.0\.1|\[::1\]):/);
  });

  it("changes nothing when it is previewed or deployed again", async () => {
    expect(await changes()).toEqual([]);
    const own = join(projectRoot, ".understudy");
    const before = await listing(own);
    await understudyOk("preview", "--stack", stack, "--expect-no-changes");
    expect(await listing(own)).toEqual(before);
    const again = await understudyOk("up", "--stack", stack);
    expect(again.stdout).toContain("nothing changed");
  });

  it.skipIf(noLanguageHost !== undefined)(`is the same for the official CLI${noLanguageHost === undefined ? "" : ` (skipped: ${noLanguageHost})`}`, async () => {
    const engine = await findEngine({ root: projectRoot });
    const own = join(projectRoot, ".understudy");
    const { stdout } = await run(engine.pulumiPath, ["preview", "--stack", stack, "--non-interactive", "--expect-no-changes", "--config-file", join(own, "work", `Pulumi.${stack}.yaml`)], {
      cwd: projectRoot,
      env: { ...process.env, PULUMI_CONFIG_PASSPHRASE_FILE: join(own, "passphrase"), PULUMI_SKIP_UPDATE_CHECK: "true" },
    });
    expect(stdout).toMatch(/\d+ unchanged/);
  });

  it("looks right in the real browser", async () => {
    const browser = await openBrowser();
    try {
      const page = await browser.newPage({ ignoreHTTPSErrors: true, viewport: { width: 375, height: 700 } });
      const problems: string[] = [];
      page.on("console", (message) => problems.push(message.text()));
      await page.goto(`${outputs.urls["app"]}/stories`);
      expect(await page.locator("#staging-banner").innerText()).toContain("STAGING");
      expect(await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  it("brings a killed process back within two seconds", async () => {
    const state = async () => (JSON.parse((await understudy("status", "--stack", stack, "--json")).stdout) as { services: { name: string; pid?: number; up: boolean }[] }).services;
    const before = (await state()).find(({ name }) => name === "cache")?.pid ?? 0;
    process.kill(before, "SIGKILL");
    await sleep(2_000);
    expect((await listenerOn(outputs.ports["cache"] ?? 0)) ?? "nobody").toMatchObject({ command: expect.stringContaining("redis-server") });
    const after = (await state()).find(({ name }) => name === "cache");
    expect(after?.up).toBe(true);
    expect(after?.pid).not.toBe(before);
  });

  it("sees a process that was stopped by hand, and brings it back", async () => {
    execFileSync("s6-svc", ["-wD", "-d", join(layoutOf(outputs.stackId).scan, "cache")]);
    const validation = await understudy("validate", "--stack", stack, "--quick", "--json");
    expect(validation.code).toBe(4);
    expect(validation.stdout).toContain("cache");
    const refresh = await understudy("refresh", "--stack", stack);
    expect(refresh.code).toBe(6);
    expect(refresh.stderr).toContain("cache");
    expect(await changes()).toEqual(["update cache", "update validation"]);
    await understudyOk("up", "--stack", stack);
    expect((await understudy("status", "--stack", stack)).code).toBe(0);
  });

  it("replaces only what depends on a port that changes, and keeps its data", async () => {
    const cache = (outputs.ports["cache"] ?? 0) + 17;
    const planned = await changes("--set", `ports.cache=${cache - offsetOf(outputs)}`);
    expect(planned.filter((line) => line.startsWith("replace"))).toEqual(["replace cache"]);
    for (const untouched of ["database", "source", "data-copy", "backup", "staging-setup", "migration-test"]) {
      expect(planned.some((line) => line.endsWith(` ${untouched}`)), untouched).toBe(false);
    }
    const users = await query(outputs.environment["DATABASE_URL"] ?? "", `SELECT id FROM "User" ORDER BY id`);
    await understudyOk("up", "--stack", stack, "--set", `ports.cache=${cache - offsetOf(outputs)}`);
    expect(await listenerOn(outputs.ports["cache"] ?? 0)).toBeUndefined();
    expect(await listenerOn(cache)).toMatchObject({ command: expect.stringContaining("redis-server") });
    expect(await query(outputs.environment["DATABASE_URL"] ?? "", `SELECT id FROM "User" ORDER BY id`)).toEqual(users);
    expect((await get(outputs.urls["health"] ?? "")).status).toBe(200);
  });

  it("shows the maintenance page without a restart, health still passing", async () => {
    await understudyOk("maintenance", "on", "--stack", stack);
    expect((await get(`${outputs.urls["app"]}/`)).status).toBe(503);
    expect((await get(outputs.urls["health"] ?? "")).status).toBe(200);
    await understudyOk("maintenance", "off", "--stack", stack);
    expect((await get(`${outputs.urls["app"]}/`)).status).toBe(200);
  });
});

describe("destroy", () => {
  it("leaves nothing but backups and reports", async () => {
    const destroyed = await understudyOk("destroy", "--stack", stack, "--yes");
    expect(destroyed.stdout).toContain(`gone stack ${stack}`);
    expect(await leftoversOf(outputs.stackId)).toEqual([]);
    expect(await processesOf(layoutOf(outputs.stackId))).toEqual([]);
    for (const port of Object.values(outputs.ports)) expect(await listenerOn(port)).toBeUndefined();
    expect(await readdir(stateRoot())).not.toContain(outputs.stackId);
    expect((await readdir(join(projectRoot, "staging-backups"))).some((name) => name.includes(`-${stack}-`))).toBe(true);
    expect((await understudy("status", "--stack", stack)).code).toBe(2);
  });
});

function offsetOf({ ports }: Outputs): number {
  return (ports["https"] ?? 8080) - 8080;
}
