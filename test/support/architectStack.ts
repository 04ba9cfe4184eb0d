import { chmod, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureCacheCluster } from "../../engine/cache/cluster.ts";
import { bundleApp } from "../../engine/process/bundle.ts";
import { connectionOf, stagingRoles } from "../../engine/staging/database.ts";
import { loadWorkload } from "../../engine/workload/manifest.ts";
import { logFileTail } from "../../engine/validation/accessLog.ts";
import type { ValidationTarget } from "../../engine/validation/target.ts";
import { startCacheNodes, type TestCacheNodes } from "./cacheCluster.ts";
import { startChild, type TestChild } from "./child.ts";
import { startNginx, type TestNginx } from "./nginx.ts";
import { freePort } from "./ports.ts";
import { withClient } from "./postgres.ts";
import { startReplica, type TestReplica } from "./replica.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));

/** One instance of the reference API. */
export interface TestInstance {
  readonly port: number;
  /** While it is there nginx sends nothing new here. */
  readonly drainFile: string;
  child(): TestChild;
  /** Ends it as a supervisor does, and starts it again: on the same port, with the same environment. */
  restart(signal?: NodeJS.Signals): Promise<number | null>;
  fetch(path: string, options?: RequestInit): Promise<Response>;
}

/** The whole of workload `architect`: primary and replica, three Redis nodes, instances behind nginx, sample data as after a copy. */
export interface TestArchitect {
  readonly databases: TestReplica;
  readonly cache: TestCacheNodes;
  readonly instances: readonly TestInstance[];
  readonly nginx: TestNginx;
  readonly target: ValidationTarget;
  readonly password: string;
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  stop(): Promise<void>;
}

/** What masking would have made of the sample. */
const asAfterACopy = `
  UPDATE users SET email = 'user-' || left(md5(email), 20) || '@staging.local';
  UPDATE webhooks SET url = 'https://staging.local/' || left(md5(url), 20);
  UPDATE integrations SET config = '{}';
  UPDATE webhook_deliveries SET error = NULL;
  UPDATE audit_log SET detail = '{}';
  UPDATE events SET payload = payload - 'requestedBy' - 'assignee' - 'log';
  UPDATE error_groups SET title = 'masked ' || id;
  UPDATE error_reports SET message = 'masked', stack = NULL, context = '{}';
  UPDATE notifications SET title = 'masked', body = NULL;
  UPDATE users SET settings = '{}'`;

export async function startArchitect(options: { readonly instances?: number; readonly users?: number; readonly environment?: Readonly<Record<string, string>> } = {}): Promise<TestArchitect> {
  const folder = await mkdtemp(join(tmpdir(), "understudy-architect-"));
  const flags = join(folder, "flags");
  await mkdir(flags);
  // nginx looks at the flags, and is nobody.
  await chmod(folder, 0o711);
  await chmod(flags, 0o755);
  const workload = await loadWorkload(join(project, "workloads/architect"));
  const [databases, cache] = await Promise.all([startReplica({}, workload.folder), startCacheNodes()]);
  const { staging } = databases;
  await ensureCacheCluster(cache);
  await withClient(connectionOf(staging, "admin"), async (client) => {
    await client.query("SELECT set_config('understudy.source_users', $1, false)", [String(options.users ?? 60)]);
    for (const file of workload.manifest.source.generate) await client.query(await readFile(workload.path(file), "utf8"));
    await client.query(asAfterACopy);
    await client.query("ANALYZE");
  });
  await databases.up();
  const bundle = join(folder, "app.mjs");
  await bundleApp(workload.path(workload.manifest.app.entry), bundle);

  const password = "shared-staging-password";
  const url = (port: number) => `postgresql://${stagingRoles.app}:${staging.passwords.app}@127.0.0.1:${port}/${staging.database}`;
  const environment = {
    PATH: process.env["PATH"] ?? "",
    NODE_ENV: "staging",
    DATABASE_URL: url(staging.port),
    DATABASE_REPLICA_URL: url(staging.replica.port),
    REDIS_URL: `redis://:${cache.password}@127.0.0.1:${cache.nodes[0]?.port}/0`,
    REDIS_CLUSTER_NODES: cache.nodes.map(({ host, port }) => `${host}:${port}`).join(","),
    REDIS_PASSWORD: cache.password,
    SESSION_SECRET: "a-session-secret-of-at-least-32-characters",
    STAGING_SIGN_IN_PASSWORD: password,
    NEXTAUTH_URL: "https://localhost:8080",
    ...workload.manifest.app.environment,
    ...options.environment,
  };
  const startInstance = async (): Promise<TestInstance> => {
    const port = await freePort();
    let child: TestChild;
    const start = async (): Promise<void> => {
      child = startChild(join(project, "node_modules/.bin/node"), [bundle], { cwd: folder, env: { ...environment, PORT: String(port) } });
      await child.waitUntil(async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/health`);
        if (answer.status !== 200) throw new Error(await answer.text());
      });
    };
    await start();
    return {
      port,
      drainFile: join(flags, `drain-${port}.on`),
      child: () => child,
      restart: async (signal = "SIGTERM") => {
        const code = await child.stop(signal);
        await start();
        return code;
      },
      fetch: (path, init = {}) => fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual", ...init }),
    };
  };
  const instances = await Promise.all(Array.from({ length: options.instances ?? 1 }, startInstance));
  const [first] = instances;
  if (first === undefined) throw new Error("there must be an instance");
  const assets = Object.fromEntries(await Promise.all(["app.css", "favicon.svg"].map(async (name) => [name, await readFile(workload.path(join("static", name)), "utf8")])));
  const nginx = await startNginx(
    {
      upstreams: instances.map(({ port, drainFile }) => ({ host: "127.0.0.1", port, drainFlagFile: drainFile })),
      healthPath: workload.manifest.app.healthPath,
      rateLimits: { pagesPerSecond: 10_000, pagesBurst: 10_000, signInPerMinute: 600, signInBurst: 100 },
    },
    assets,
  );
  const service = (name: string, port: number, pid: number | undefined, more = {}) => ({
    name,
    host: "127.0.0.1",
    port,
    secretFiles: [],
    state: () => Promise.resolve({ up: true, ...(pid === undefined ? {} : { pid }), user: "nobody", uptimeMs: 60_000, restarts: 0, rssBytes: 1024 ** 2 }),
    ...more,
  });
  return {
    databases,
    cache,
    instances,
    nginx,
    password,
    target: {
      stack: "test",
      platform: "process",
      httpsUrl: `https://localhost:${nginx.httpsPort}`,
      httpUrl: `http://localhost:${nginx.httpPort}`,
      appUrl: `http://127.0.0.1:${first.port}`,
      appInstances: instances.map(({ port }, index) => ({ service: index === 0 ? "app" : `app-${index + 1}`, url: `http://127.0.0.1:${port}` })),
      staging,
      redis: { host: "127.0.0.1", port: cache.nodes[0]?.port ?? 0, password: cache.password, nodes: cache.nodes },
      signInPassword: password,
      certificateFile: join(nginx.folder, "certificate.pem"),
      accessLog: logFileTail(join(nginx.folder, "access.log")),
      services: [
        service("database", staging.port, undefined, { dataFolder: join(databases.primary.folder, "data") }),
        ...instances.map(({ port, child }, index) => service(index === 0 ? "app" : `app-${index + 1}`, port, child().process.pid)),
        service("proxy", nginx.httpsPort, nginx.child.process.pid, { secretFiles: [join(nginx.folder, "key.pem")] }),
      ],
    },
    sql: (text, values = []) => withClient(connectionOf(staging, "admin"), async (client) => (await client.query(text, values)).rows),
    stop: async () => {
      await nginx.stop();
      await Promise.all(instances.map(({ child }) => child().stop("SIGKILL")));
      await Promise.all([databases.remove(), cache.remove()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
