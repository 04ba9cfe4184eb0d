import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { silent } from "../../../engine/progress.ts";
import { logFileTail } from "../../../engine/validation/accessLog.ts";
import { validateStaging } from "../../../engine/validation/validate.ts";
import type { ValidationTarget } from "../../../engine/validation/target.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";
import { startNginx, type TestNginx } from "../../support/nginx.ts";
import { startStoriesApp, type TestStoriesApp } from "../../support/storiesApp.ts";
import { asAfterACopy } from "./world.ts";

const project = fileURLToPath(new URL("../../..", import.meta.url));
let app: TestStoriesApp;
let nginx: TestNginx;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-validation-"));
  app = await startStoriesApp();
  await app.sql(asAfterACopy);
  const assets = Object.fromEntries(
    await Promise.all(["app.css", "favicon.svg"].map(async (name) => [name, await readFile(join(project, "workloads/stories/static", name), "utf8")])),
  );
  nginx = await startNginx({ upstreams: [{ host: "127.0.0.1", port: app.port }] }, assets);
});
afterAll(async () => {
  await nginx?.stop();
  await app?.stop();
  await rm(folder, { recursive: true, force: true });
});

function target(): ValidationTarget {
  const service = (name: string, port: number, pid: number | undefined, more = {}) => ({
    name,
    host: "127.0.0.1",
    port,
    secretFiles: [],
    state: () => Promise.resolve({ up: true, ...(pid === undefined ? {} : { pid }), user: "nobody", uptimeMs: 60_000, restarts: 0, rssBytes: 1024 ** 2 }),
    ...more,
  });
  return {
    stack: "test",
    platform: "process",
    httpsUrl: `https://localhost:${nginx.httpsPort}`,
    httpUrl: `http://localhost:${nginx.httpPort}`,
    appUrl: `http://127.0.0.1:${app.port}`,
    staging: app.staging,
    redis: { host: "127.0.0.1", port: app.redis.port, password: app.redis.password },
    signInPassword: app.password,
    certificateFile: join(nginx.folder, "certificate.pem"),
    accessLog: logFileTail(join(nginx.folder, "access.log")),
    services: [
      service("database", app.postgres.port, undefined, { dataFolder: join(app.postgres.folder, "data") }),
      service("cache", app.redis.port, app.redis.child().process.pid),
      service("app", app.port, app.child().process.pid),
      service("proxy", nginx.httpsPort, nginx.child.process.pid, { secretFiles: [join(nginx.folder, "key.pem")] }),
    ],
  };
}

it("finds the real app behind the real proxy in order, whole and quick, and leaves nothing behind", async () => {
  const workload = await loadWorkload(join(project, "workloads/stories"));
  const before = await app.sql(`SELECT (SELECT count(*) FROM "Order") AS orders`);
  const options = { target: target(), workload, reportsFolder: folder, onProgress: silent };
  const whole = await validateStaging(options);
  const wrong = whole.report.checks.filter(({ status }) => status !== "passed" && status !== "skipped");
  expect(wrong.map(({ id, evidence }) => `${id}: ${evidence}`)).toEqual([]);
  expect(whole.report.verdict).toBe("passed");
  expect(whole.report.checks.filter(({ status }) => status === "skipped").map(({ id }) => id).sort()).toEqual([
    "infrastructure.alertmanager",
    "infrastructure.grafana",
    "infrastructure.prometheus-rules",
    "infrastructure.prometheus-targets",
    "integration.exporters",
  ]);
  const quick = await validateStaging({ ...options, quick: true });
  expect(quick.report.verdict).toBe("passed");
  console.log(`whole ${whole.report.durationMs} ms, quick ${quick.report.durationMs} ms`);
  expect(await app.sql(`SELECT (SELECT count(*) FROM "Order") AS orders`)).toEqual(before);
});
