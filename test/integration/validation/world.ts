import { appendFile, chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SecureVersion } from "node:tls";
import { fileURLToPath } from "node:url";
import { createCertificate } from "../../../engine/tls/certificate.ts";
import { logFileTail } from "../../../engine/validation/accessLog.ts";
import type { ServiceState, ValidationTarget } from "../../../engine/validation/target.ts";
import { loadWorkload, type Workload } from "../../../engine/workload/manifest.ts";
import { startStoriesApp, type TestStoriesApp } from "../../support/storiesApp.ts";

const project = fileURLToPath(new URL("../../..", import.meta.url));

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

export interface ProxyAnswer {
  status: number;
  headers: Record<string, string | string[]>;
  body: string;
}

/** What a test changes to plant a fault; `calm()` puts all of it back. */
export interface Faults {
  /** Changes what the proxy answers. */
  proxy: (answer: ProxyAnswer, path: string, request: IncomingMessage) => ProxyAnswer;
  /** Changes what the HTTP port answers. */
  redirect: (answer: ProxyAnswer) => ProxyAnswer;
  logLine: (line: string) => string;
  /** Changes a service's state. */
  state: (name: string, state: ServiceState) => ServiceState;
  /** Changes what Prometheus, Alertmanager and Grafana answer, by path. */
  monitoring: (document: unknown, path: string) => unknown;
}

/** A healthy small stack: the real app with its servers, and in-process doubles of proxy and monitoring whose faults are planted. */
export interface World {
  readonly app: TestStoriesApp;
  readonly workload: Workload;
  readonly folder: string;
  readonly faults: Faults;
  readonly target: Mutable<ValidationTarget>;
  calm(): void;
  /** One more HTTPS port that speaks other versions of TLS, or shows another certificate. */
  startTls(options: { minVersion?: SecureVersion; maxVersion?: SecureVersion }): Promise<{ url: string; stop(): Promise<void> }>;
  stop(): Promise<void>;
}

const nothingWrong = (): Faults => ({
  proxy: (answer) => answer,
  redirect: (answer) => answer,
  logLine: (line) => line,
  state: (_, state) => state,
  monitoring: (document) => document,
});

const securityHeaders = {
  "x-environment": "STAGING",
  "x-robots-tag": "noindex, nofollow",
  "strict-transport-security": "max-age=86400",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "strict-origin-when-cross-origin",
  "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
  server: "nginx",
};

/** Fills what the app's sample rows leave empty, and straightens an email that no masking would have left so. */
export const asAfterACopy = `
  UPDATE "User" SET "email" = 'mixed.case@staging.local' WHERE "email" LIKE ' Mixed%';
  INSERT INTO "Order" ("number", "userId", "storyId", "amountCents")
  SELECT 'SAMPLE-1', u."id", s."id", 250 FROM "User" u, "Story" s WHERE u."role" = 'CUSTOMER' AND s."slug" = 'story-1';
  INSERT INTO "Donation" ("userId", "donorEmail", "amountCents")
  SELECT "id", "email", 500 FROM "User" WHERE "role" = 'VOLUNTEER'`;

export async function startWorld(): Promise<World> {
  const [app, workload, folder] = [await startStoriesApp(), await loadWorkload(join(project, "workloads/stories")), await mkdtemp(join(tmpdir(), "understudy-validation-"))];
  await app.sql(asAfterACopy);
  const certificate = await createCertificate();
  const [certificateFile, accessLogFile, secretFile] = ["certificate.pem", "access.log", "secret"].map((name) => join(folder, name)) as [string, string, string];
  const dataFolder = join(folder, "data");
  await Promise.all([writeFile(certificateFile, certificate.certificatePem), writeFile(accessLogFile, ""), writeFile(secretFile, "s", { mode: 0o600 }), mkdir(dataFolder, { mode: 0o700 })]);
  await chmod(dataFolder, 0o700);

  const faults = nothingWrong();
  const appUrl = `http://127.0.0.1:${app.port}`;
  const tls = { key: certificate.keyPem, cert: certificate.certificatePem };
  const handle = (request: IncomingMessage, response: ServerResponse) =>
    void proxied(request, appUrl, accessLogFile, faults).then(
      (answer) => send(response, answer),
      (error: Error) => send(response, { status: 502, headers: {}, body: error.message }),
    );
  const https = await listen(createHttpsServer({ ...tls, minVersion: "TLSv1.2" }, handle));
  const http = await listen(
    createHttpServer((request, response) => {
      const answer = { status: 308, headers: { location: `https://127.0.0.1:${https.port}${request.url}` }, body: "" };
      send(response, faults.redirect(answer));
    }),
  );
  const monitoring = await listen(
    createHttpServer((request, response) => {
      const path = request.url ?? "/";
      const document = faults.monitoring(monitoringAnswer(path), path);
      send(response, { status: document === undefined ? 503 : 200, headers: { "content-type": "application/json" }, body: JSON.stringify(document ?? null) });
    }),
  );

  const service = (name: string, port: number, more: { secretFiles?: string[]; dataFolder?: string } = {}): ValidationTarget["services"][number] => ({
    name,
    host: "127.0.0.1",
    port,
    secretFiles: [],
    state: () => Promise.resolve(faults.state(name, { up: true, pid: process.pid, uptimeMs: 60_000, restarts: 0, user: "understudy", rssBytes: 40 * 1024 ** 2 })),
    ...more,
  });
  const healthy: ValidationTarget = {
    stack: "test",
    platform: "process",
    httpsUrl: `https://127.0.0.1:${https.port}`,
    httpUrl: `http://127.0.0.1:${http.port}`,
    appUrl,
    staging: app.staging,
    redis: { host: "127.0.0.1", port: app.redis.port, password: app.redis.password },
    signInPassword: app.password,
    prometheusUrl: `http://127.0.0.1:${monitoring.port}`,
    alertmanagerUrl: `http://127.0.0.1:${monitoring.port}`,
    grafanaUrl: `http://127.0.0.1:${monitoring.port}/grafana`,
    certificateFile,
    accessLog: logFileTail(accessLogFile),
    services: [
      service("database", app.postgres.port, { dataFolder }),
      service("cache", app.redis.port, { secretFiles: [secretFile] }),
      service("app", app.port),
      service("proxy", https.port),
    ],
  };
  const target = { ...healthy };
  return {
    app,
    workload,
    folder,
    faults,
    target,
    calm: () => {
      Object.assign(faults, nothingWrong());
      delete target.source;
      Object.assign(target, healthy);
    },
    startTls: async (options) => {
      const other = await createCertificate();
      const server = await listen(createHttpsServer({ key: other.keyPem, cert: other.certificatePem, ciphers: "DEFAULT@SECLEVEL=0", ...options }, handle));
      return { url: `https://127.0.0.1:${server.port}`, stop: server.stop };
    },
    stop: async () => {
      await Promise.all([https.stop(), http.stop(), monitoring.stop()]);
      await app.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function proxied(request: IncomingMessage, appUrl: string, accessLogFile: string, faults: Faults): Promise<ProxyAnswer> {
  const path = request.url ?? "/";
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const { host: _, connection: __, "content-length": ___, ...headers } = request.headers as Record<string, string>;
  const startedAt = performance.now();
  const upstream = await fetch(new URL(path, appUrl), { method: request.method ?? "GET", headers, redirect: "manual", ...(body.length === 0 ? {} : { body }) });
  const text = await upstream.text();
  const took = ((performance.now() - startedAt) / 1_000).toFixed(3);
  const asset: Record<string, string> = path.startsWith("/static/") ? { "cache-control": path.includes("?v=") ? "public, max-age=31536000" : "public, max-age=300" } : {};
  const passed: Record<string, string> = Object.fromEntries([...upstream.headers].filter(([name]) => !["x-powered-by", "content-length", "set-cookie"].includes(name)));
  const answer: ProxyAnswer = {
    status: upstream.status,
    headers: { ...passed, ...(upstream.headers.getSetCookie().length > 0 ? { "set-cookie": upstream.headers.getSetCookie() } : {}), ...securityHeaders, ...asset },
    body: text.replace("</body>", '<div id="staging-banner"><b>STAGING</b></div></body>'),
  };
  const changed = faults.proxy(answer, path, request);
  const time = `${new Date().toISOString().slice(0, 19)}+00:00`;
  const line = `${time} [STAGING] 127.0.0.1 "${request.method} ${path} HTTP/1.1" ${changed.status} ${took} ${took} "${request.headers["user-agent"] ?? ""}"`;
  await appendFile(accessLogFile, `${faults.logLine(line)}\n`);
  return changed;
}

function monitoringAnswer(path: string): unknown {
  const success = (data: unknown) => ({ status: "success", data });
  if (path.startsWith("/api/v1/targets")) {
    const jobs = ["prometheus", "node", "postgres", "redis", "nginx", "app", "alertmanager"];
    return success({ activeTargets: jobs.map((job) => ({ labels: { job }, scrapeUrl: `http://127.0.0.1/${job}`, health: "up", lastError: "" })) });
  }
  if (path.startsWith("/api/v1/rules")) return success({ groups: [{ rules: alertNames.map((name) => ({ name, type: "alerting", health: "ok", state: "inactive" })) }] });
  if (path.startsWith("/api/v1/query")) return success({ resultType: "vector", result: [{ metric: {}, value: [1, "1"] }] });
  if (path.startsWith("/api/v1/alertmanagers")) return success({ activeAlertmanagers: [{ url: "http://127.0.0.1:9093/api/v2/alerts" }] });
  return path === "/-/ready" ? "OK" : { database: "ok" };
}

/** Filled by the test from the workload's rules. */
export const alertNames: string[] = [];

function send(response: ServerResponse, { status, headers, body }: ProxyAnswer): void {
  response.writeHead(status, headers).end(body);
}

async function listen(server: Server): Promise<{ port: number; stop(): Promise<void> }> {
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
