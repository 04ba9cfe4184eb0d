import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withClient } from "../../support/postgres.ts";
import { startStoriesApp, type TestStoriesApp } from "../../support/storiesApp.ts";

let app: TestStoriesApp;
beforeAll(async () => {
  app = await startStoriesApp();
});
afterAll(() => app.stop());

interface Health {
  status: string;
  components: Record<"database" | "cache" | "app", { status: string; latencyMs: number; error?: string }>;
}
const health = async (): Promise<{ code: number; report: Health; text: string }> => {
  const answer = await app.fetch("/api/health");
  const text = await answer.text();
  return { code: answer.status, report: JSON.parse(text) as Health, text };
};
const healthy = () => expect.poll(async () => (await health()).report.status, { timeout: 10_000 }).toBe("healthy");

test("without Redis: degraded, stories can be read, signing in says when to come back; with it again, healthy", async () => {
  const cookie = await app.signIn("customer@staging.local");
  await app.redis.stop("SIGKILL");
  await expect.poll(async () => (await health()).report.status, { timeout: 5_000 }).toBe("degraded");
  const { code, report, text } = await health();
  expect(code).toBe(200);
  expect(report.components).toMatchObject({ database: { status: "healthy" }, cache: { status: "degraded" }, app: { status: "healthy" } });
  expect(report.components.cache.error).toMatch(/^(ClientOfflineError|SocketClosedUnexpectedlyError|ECONN[A-Z]+)$/);
  expect(text).not.toContain(app.redis.password);
  expect((await app.fetch("/stories", { headers: { cookie } })).status).toBe(200);
  const orders = await app.fetch("/api/orders", { headers: { cookie } });
  expect([orders.status, orders.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await (await app.fetch("/metrics")).text()).toContain('app_component_up{component="cache"} 0');

  await app.redis.start();
  await healthy();
  // The sessions are gone with the server; a new one works.
  expect((await app.fetch("/api/me", { headers: { cookie } })).status).toBe(401);
  await app.signIn("customer@staging.local");
});

test("a Redis that hangs is seen within the probe's deadline", async () => {
  app.redis.child().process.kill("SIGSTOP");
  try {
    const started = performance.now();
    const { report } = await health();
    expect(report.components.cache).toMatchObject({ status: "degraded", error: "TIMEOUT" });
    expect(performance.now() - started).toBeLessThan(4_000);
  } finally {
    app.redis.child().process.kill("SIGCONT");
  }
  await healthy();
});

test("a database that lets nobody in: unhealthy, 503, no secret; let in again, healthy", async () => {
  const cookie = await app.signIn("customer@staging.local");
  const allow = (allowed: boolean) =>
    withClient(app.postgres.admin(), async (client) => {
      await client.query(`ALTER DATABASE staging_db ALLOW_CONNECTIONS ${allowed}`);
      if (!allowed) await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'staging_db'");
    });
  await allow(false);
  try {
    const { code, report, text } = await health();
    expect(code).toBe(503);
    expect(report).toMatchObject({ status: "unhealthy", components: { database: { status: "unhealthy", error: expect.stringMatching(/^(55000|57P01)$/) }, cache: { status: "healthy" } } });
    for (const secret of [app.staging.passwords.app, "staging_user", app.redis.password]) expect(text).not.toContain(secret);
    const orders = await app.fetch("/api/orders", { headers: { cookie } });
    expect([orders.status, await orders.json()]).toMatchObject([503, { error: { code: "database_unavailable" } }]);
    const metrics = await (await app.fetch("/metrics")).text();
    expect(metrics).toContain('app_component_up{component="database"} 0');
    expect(metrics).toContain("role_migration_metrics_up 0");
    expect(metrics).not.toMatch(/^role_migration_learners_left /m);
  } finally {
    await allow(true);
  }
  await healthy();
  expect((await app.fetch("/api/orders", { headers: { cookie } })).status).toBe(200);
});

test("the database is switched under readers and buyers: none of them sees it", async () => {
  const cookie = await app.signIn("customer@staging.local");
  const statuses: number[] = [];
  let placed = 0;
  const ended = new AbortController();
  const worker = async (path: string, options: RequestInit): Promise<void> => {
    while (!ended.signal.aborted) {
      const { status } = await app.fetch(path, options);
      statuses.push(status);
      if (status === 201) placed += 1;
    }
  };
  const buying = {
    method: "POST",
    headers: { cookie, "content-type": "application/json" },
    body: JSON.stringify({ storySlug: "story-1" }),
  };
  const before = Number((await app.sql(`SELECT count(*) FROM "Order"`))[0]?.["count"]);
  const workers = [worker("/api/stories", {}), worker("/stories/story-1", {}), worker("/api/orders", buying)];
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (const [from, to] of [["staging_db", "staging_previous"], ["staging_previous", "staging_db"]]) {
    await withClient(app.postgres.admin(), async (client) => {
      await client.query(`ALTER DATABASE ${from} ALLOW_CONNECTIONS false`);
      await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [from]);
      await expect.poll(async () => (await client.query("SELECT FROM pg_stat_activity WHERE datname = $1", [from])).rowCount).toBe(0);
      await client.query(`ALTER DATABASE ${from} RENAME TO ${to}`);
      await client.query(`ALTER DATABASE ${to} ALLOW_CONNECTIONS true`);
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  ended.abort();
  await Promise.all(workers);
  expect(statuses.length).toBeGreaterThan(20);
  const odd = statuses.filter((status) => status !== 200 && status !== 201);
  // A COMMIT that was cut may or may not have happened: that one request is told so, it is never done twice.
  expect(odd.length).toBeLessThanOrEqual(2);
  expect(new Set(odd).size === 0 || odd.every((status) => status === 500)).toBe(true);
  expect(placed).toBeGreaterThan(3);
  const orders = Number((await app.sql(`SELECT count(*) FROM "Order"`))[0]?.["count"]) - before;
  expect(orders).toBeGreaterThanOrEqual(placed);
  expect(orders).toBeLessThanOrEqual(placed + odd.length);
  expect(app.child().process.exitCode).toBeNull();
  await healthy();
});

test("SIGTERM: answers what is under way, then ends with 0", async () => {
  const { child, port } = await app.startInstance();
  await withClient(app.postgres.admin("staging_db"), async (client) => {
    await client.query(`BEGIN; LOCK TABLE "Story" IN ACCESS EXCLUSIVE MODE`);
    const answer = fetch(`http://127.0.0.1:${port}/api/stories`);
    await expect
      .poll(async () => (await client.query("SELECT FROM pg_locks WHERE NOT granted")).rowCount, { timeout: 5_000 })
      .toBeGreaterThan(0);
    const ended = child.stop("SIGTERM");
    await expect.poll(() => child.output(), { timeout: 5_000 }).toContain("shutting down");
    const released = Date.now();
    await client.query("COMMIT");
    expect((await answer).status).toBe(200);
    expect(await ended).toBe(0);
    expect(Date.now() - released).toBeLessThan(5_000);
  });
});

test("a wrong environment is one line on stderr and exit 2, every variable named, no secret shown", () => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [join(app.folder, "app.mjs")], {
    env: {
      PORT: "eighty",
      DATABASE_URL: "mysql://user:hidden-password@host/db",
      SESSION_SECRET: "too-short-secret",
      STAGING_SIGN_IN_PASSWORD_FILE: "/nowhere/password",
      NEXTAUTH_URL: "localhost",
      ROLE_MIGRATION_MODE: "maybe",
    },
    encoding: "utf8",
  });
  expect(status).toBe(2);
  expect(stdout).toBe("");
  expect(stderr.trim().split("\n")).toHaveLength(1);
  for (const name of ["PORT", "DATABASE_URL", "REDIS_URL is missing", "SESSION_SECRET", "STAGING_SIGN_IN_PASSWORD_FILE", "NEXTAUTH_URL", "ROLE_MIGRATION_MODE"]) {
    expect(stderr).toContain(name);
  }
  for (const secret of ["hidden-password", "too-short-secret"]) expect(stderr).not.toContain(secret);
});

test("secrets can come from files; a taken port is exit 3", async () => {
  const files: Record<string, string> = {};
  const all = app.environment();
  for (const name of ["DATABASE_URL", "REDIS_URL", "SESSION_SECRET", "STAGING_SIGN_IN_PASSWORD"]) {
    const file = join(app.folder, name);
    await writeFile(file, `${all[name]}\n`, { mode: 0o600 });
    files[`${name}_FILE`] = file;
    delete all[name];
  }
  const { status, stdout } = spawnSync(process.execPath, [join(app.folder, "app.mjs")], { env: { ...all, ...files }, encoding: "utf8", timeout: 20_000 });
  expect(status).toBe(3);
  expect(stdout).toContain(`cannot listen on 127.0.0.1:${app.port}`);
});
