import { createServer } from "node:http";
import { afterEach, expect, test } from "vitest";
import { UnderstudyError } from "../../../engine/errors.ts";
import { documentHealth, waitUntilHealthy } from "../../../engine/health/index.ts";
import type { HealthSpec, WaitUntilHealthy } from "../../../engine/health/index.ts";
import { freePort } from "../../support/ports.ts";
import { respawn } from "../../support/respawn.ts";
import type { Respawned } from "../../support/respawn.ts";

const services: Respawned[] = [];
afterEach(async () => {
  for (const service of services.splice(0)) await service.stop();
});

const run = (script: string, options: Parameters<typeof respawn>[2] = {}): Respawned => {
  const service = respawn(process.execPath, ["-e", script], options);
  services.push(service);
  return service;
};
const serving = (port: number, status = 200, afterMs = 0): string =>
  `setTimeout(() => require("http").createServer((q, s) => { s.statusCode = ${status}; s.end("{}"); }).listen(${port}, "127.0.0.1"), ${afterMs})`;
const http = (port: number): HealthSpec => ({ kind: "http", url: `http://127.0.0.1:${port}/` });
const wait = (spec: HealthSpec, service: Respawned, options: Partial<WaitUntilHealthy> = {}) =>
  waitUntilHealthy(spec, { name: "app", observe: service.observe, logTail: service.logTail, ...options });

/** The error of a wait that must fail, and how long it took. */
async function failing(work: Promise<unknown>): Promise<{ error: UnderstudyError; tookMs: number }> {
  const startedAt = Date.now();
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown);
  if (!(error instanceof UnderstudyError)) throw new Error(`no UnderstudyError but ${String(error)}`);
  return { error, tookMs: Date.now() - startedAt };
}

test("not yet becomes healthy, without waiting for an interval of 15 s", async () => {
  const port = await freePort();
  const seen: string[] = [];
  const startedAt = Date.now();
  const result = await wait(http(port), run(serving(port, 200, 700)), { onProgress: ({ message }) => void seen.push(message) });
  expect(result).toMatchObject({ ok: true, detail: expect.stringContaining("200") });
  expect(Date.now() - startedAt).toBeLessThan(6_000);
  expect(seen[0]).toMatch(/app: not yet: .*ECONNREFUSED/);
});

test("a crash loop is told at once, with the log's end", async () => {
  const { error, tookMs } = await failing(wait(http(await freePort()), run('console.error("Error: no such module"); process.exit(7)')));
  expect(error.exitCode).toBe(3);
  expect(error.message).toMatch(/app cannot become healthy: it ended \d+ times since its start, a crash loop \(last: exit code 7\)/);
  expect(error.message).toMatch(/Last probe: .*ECONNREFUSED/);
  expect(error.message).toContain("  Error: no such module");
  expect(tookMs).toBeLessThan(10_000);
});

test("killed by a signal, again and again", async () => {
  const { error } = await failing(wait(http(await freePort()), run('process.kill(process.pid, "SIGKILL")')));
  expect(error.message).toMatch(/crash loop \(last: killed by SIGKILL\)/);
});

test("its port taken by another: told at once, though the other answers 200", async () => {
  const other = createServer((_request, response) => response.end("{}"));
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    const { error, tookMs } = await failing(wait(http(port), run(serving(port))));
    expect(error.message).toMatch(/its port is taken by another process/);
    expect(tookMs).toBeLessThan(10_000);
  } finally {
    await new Promise((resolve) => other.close(resolve));
  }
});

test("a stranger answers while the service never listens: not believed, and named", async () => {
  const other = createServer((_request, response) => response.end("{}"));
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const address = other.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    const { error } = await failing(wait(http(port), run("setTimeout(() => {}, 60000)")));
    expect(error.message).toContain(`its port is taken by another process (${process.pid}: `);
  } finally {
    await new Promise((resolve) => other.close(resolve));
  }
});

test("a child of the service may be the one that listens", async () => {
  const port = await freePort();
  const service = run(`require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(`process.on("disconnect", () => process.exit()); ${serving(port)}`)}], { stdio: ["ignore", "ignore", "ignore", "ipc"] })`);
  await expect(wait(http(port), service)).resolves.toMatchObject({ ok: true });
});

test("an old complaint in the log proves nothing", async () => {
  const port = await freePort();
  const service = run(serving(port, 200, 300), { log: ["Error: listen EADDRINUSE: address already in use"] });
  await expect(wait(http(port), service)).resolves.toMatchObject({ ok: true });
});

test("one bad end, then it stays up: healthy once it is steady", async () => {
  const port = await freePort();
  const marker = `${process.env["TMPDIR"] ?? "/tmp"}/understudy-wait-${port}`;
  const service = run(`const fs = require("fs"); if (!fs.existsSync("${marker}")) { fs.writeFileSync("${marker}", ""); process.exit(1); } fs.unlinkSync("${marker}"); ${serving(port)}`);
  await expect(wait(http(port), service)).resolves.toMatchObject({ ok: true });
  expect((await service.observe()).exits).toHaveLength(1);
});

test("a configuration error by exit code", async () => {
  const { error } = await failing(wait(http(await freePort()), run('console.error("DATABASE_URL is missing"); process.exit(78)')));
  expect(error.message).toMatch(/its configuration is wrong \(exit code 78\)/);
});

test("a real nginx with a wrong configuration", async () => {
  const service = respawn("nginx", ["-t", "-c", `${import.meta.dirname}/wrong-nginx.conf`]);
  services.push(service);
  const { error } = await failing(wait(http(await freePort()), service));
  expect(error.message).toMatch(/its configuration is wrong[\s\S]*unknown directive "lisen"/);
});

test("answers 500 for ever: fails when its patience is over, not before", async () => {
  const port = await freePort();
  const settings = { intervalMs: 700, timeoutMs: 3_000, retries: 2, startPeriodMs: 600 };
  const { error, tookMs } = await failing(wait(http(port), run(serving(port, 500)), { settings }));
  expect(error.message).toMatch(/app did not become healthy within \d+ s\. Last probe: .*status 500/);
  expect(tookMs).toBeGreaterThanOrEqual(2_000);
  expect(tookMs).toBeLessThan(8_000);
});

test("what waiting cannot change fails at once, although the service is up", async () => {
  const port = await freePort();
  const service = run(serving(port));
  await wait(http(port), service);
  const { error, tookMs } = await failing(wait({ kind: "http", url: `https://127.0.0.1:${port}/` }, service));
  expect(error.message).toMatch(/waiting cannot change this/);
  expect(tookMs).toBeLessThan(3_000);
});

test("stopped by hand", async () => {
  const observe = () => Promise.resolve({ up: false, wantedUp: false, exits: [] });
  const work = waitUntilHealthy(http(await freePort()), { name: "cache", observe, logTail: () => Promise.resolve([]) });
  const { error } = await failing(work);
  expect(error.message).toMatch(/cache cannot become healthy: it was stopped by hand[\s\S]*Its log is empty/);
});

test("no secret in the error, whether from the log or from the probe", async () => {
  const service = run('console.error("connecting with s3cr3t-value to postgresql://u:pw-in-url@h/d"); process.exit(78)');
  const { error } = await failing(wait(http(await freePort()), service, { secrets: ["s3cr3t-value"] }));
  expect(error.message).toContain("connecting with •••");
  expect(error.message).not.toMatch(/s3cr3t-value|pw-in-url/);
});

test("nor the password that the probe itself uses", async () => {
  const connection = { host: "127.0.0.1", port: await freePort(), database: "d", user: "u", password: "probe-s3cr3t" };
  const { error } = await failing(wait({ kind: "postgres", connection }, run('console.error("PGPASSWORD=probe-s3cr3t"); process.exit(78)')));
  expect(error.message).toContain("PGPASSWORD=•••");
});

test("interrupted: exit 130, at once", async () => {
  const port = await freePort();
  const { error, tookMs } = await failing(wait(http(port), run("setTimeout(() => {}, 60000)"), { signal: AbortSignal.timeout(300) }));
  expect(error.exitCode).toBe(130);
  expect(tookMs).toBeLessThan(2_000);
});

test("the defaults are document 004's", () => {
  expect(documentHealth).toEqual({ intervalMs: 15_000, timeoutMs: 10_000, retries: 5, startPeriodMs: 30_000 });
});
