import { mkdtemp, readdir, rm, truncate, utimes, writeFile, rename } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backupDatabase } from "../../../engine/backup/index.ts";
import { backupFileName } from "../../../engine/backup/fileName.ts";
import { ensureCacheCluster } from "../../../engine/cache/cluster.ts";
import { withNodes } from "../../../engine/cache/node.ts";
import { withSession } from "../../../engine/postgres/session.ts";
import type { CheckResult } from "../../../engine/report/check.ts";
import { connectionOf, replicaConnectionsOf } from "../../../engine/staging/database.ts";
import { promoteReplica } from "../../../engine/staging/promote.ts";
import type { CheckContext } from "../../../engine/validation/check.ts";
import { createHttpClient } from "../../../engine/validation/httpClient.ts";
import { loadRequirements } from "../../../engine/validation/requirements.ts";
import { runChecks } from "../../../engine/validation/runChecks.ts";
import type { ValidationTarget } from "../../../engine/validation/target.ts";
import { topologyChecks } from "../../../engine/validation/topology/index.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";
import { startCacheNodes, type TestCacheNodes } from "../../support/cacheCluster.ts";
import { startPool, type TestPool } from "../../support/pgbouncer.ts";
import { withClient } from "../../support/postgres.ts";
import { startReplica, type TestReplica } from "../../support/replica.ts";

let replica: TestReplica;
let cache: TestCacheNodes;
let pool: TestPool;
let folder: string;
let target: ValidationTarget;
const servers: Server[] = [];
const statuses = new Map<string, number>();

/** A server that answers every request with the status of that name; 200 unless a test says otherwise. */
async function serve(name: string): Promise<string> {
  const server = createServer((_, response) => response.writeHead(statuses.get(name) ?? 200).end("{}"));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-topology-"));
  [replica, cache] = await Promise.all([startReplica(), startCacheNodes()]);
  await Promise.all([replica.up(), ensureCacheCluster(cache)]);
  pool = await startPool(replica.staging);
  await backupDatabase({ staging: replica.staging, stack: "test", folder });
  const [first] = cache.nodes;
  const names = ["app", "app-2", "app-3"];
  const appInstances = await Promise.all(names.map(async (service) => ({ service, url: await serve(service), drainFile: join(folder, `drain-${service}.on`) })));
  target = {
    stack: "test",
    platform: "process",
    httpsUrl: "https://127.0.0.1:1",
    httpUrl: "http://127.0.0.1:1",
    appUrl: appInstances[0]?.url ?? "",
    staging: replica.staging,
    redis: { host: "127.0.0.1", port: first?.port ?? 0, password: cache.password, nodes: cache.nodes },
    appInstances,
    pool: { host: pool.host, port: pool.port },
    scheduledBackup: { folder, healthUrl: `${await serve("backup")}/health`, everyHours: 6 },
    services: [],
    certificateFile: "",
  };
});
afterAll(async () => {
  for (const server of servers) server.close();
  await Promise.all([pool?.stop(), cache?.remove()]);
  await replica?.remove();
  await rm(folder, { recursive: true, force: true });
});

async function validate(only: readonly string[] = [], changed: Partial<ValidationTarget> = {}): Promise<readonly CheckResult[]> {
  const seen = { ...target, ...changed };
  const workload = await loadWorkload("workloads/stories");
  const http = createHttpClient();
  const contextOf = (signal: AbortSignal): CheckContext => ({
    target: seen,
    requirements,
    workload,
    http,
    signal,
    services: () => Promise.resolve([]),
    signedIn: () => Promise.reject(new Error("nobody signs in here")),
    afterwards: () => {},
    session: (role, use, { writable = false } = {}) => withSession(connectionOf(seen.staging, role), { readOnly: !writable, signal }, use),
  });
  const requirements = await loadRequirements(workload);
  const checks = topologyChecks(seen).filter(({ id }) => only.length === 0 || only.includes(id));
  try {
    return await runChecks(checks, { contextOf, onProgress: () => {}, patienceMs: 0 });
  } finally {
    await http.close();
  }
}

const onReplica = (sql: string) => withClient(replicaConnectionsOf(replica.staging, "admin")[0] ?? connectionOf(replica.staging, "admin"), (client) => client.query(sql));
const onPrimary = (sql: string) => withClient(connectionOf(replica.staging, "admin"), (client) => client.query(sql));

interface PlantedFault {
  readonly check: string;
  readonly what: string;
  plant(): Promise<() => Promise<unknown>>;
  readonly says: RegExp;
  readonly status?: "failed" | "errored";
}

const status = (name: string, code: number) => async () => {
  statuses.set(name, code);
  return async () => statuses.delete(name);
};
const newestBackup = async () => join(folder, (await readdir(folder)).find((name) => name.endsWith(".sql.gz")) ?? "");

const faults: readonly PlantedFault[] = [
  {
    check: "infrastructure.replica-lag",
    what: "replay stands still while the primary writes",
    plant: async () => {
      await onReplica("SELECT pg_wal_replay_pause()");
      await onPrimary("CREATE TABLE lagging AS SELECT generate_series(1, 1000)");
      return () => onReplica("SELECT pg_wal_replay_resume()");
    },
    says: /after 2000 ms it has not replayed/,
  },
  {
    check: "infrastructure.replica-lag",
    what: "the role that streams is shut out",
    plant: async () => {
      await onPrimary("ALTER ROLE staging_replication NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
      await sleep(300);
      return async () => {
        await onPrimary("ALTER ROLE staging_replication LOGIN");
        await untilPassed("infrastructure.replica-lag");
      };
    },
    says: /receives nothing from its primary[^]*slot for it is not in use/,
  },
  {
    check: "infrastructure.replica-lag",
    what: "the replica is down",
    plant: async () => {
      await replica.stop("SIGKILL");
      return async () => {
        await replica.start();
        await untilPassed("infrastructure.replica-lag");
      };
    },
    says: /ECONNREFUSED/,
    status: "errored",
  },
  {
    check: "infrastructure.cache-cluster",
    what: "slots that nobody serves",
    plant: async () => {
      await withNodes(cache, async ([first]) => first?.command("CLUSTER", "DELSLOTSRANGE", "0", "9"));
      return () => ensureCacheCluster(cache);
    },
    says: /16374 of 16384 slots are served/,
  },
  {
    check: "infrastructure.cache-cluster",
    what: "a node is down",
    plant: async () => {
      await cache.kill(1);
      return async () => {
        await cache.start(1);
        await ensureCacheCluster(cache);
      };
    },
    says: /node 127\.0\.0\.1:\d+: .*ECONNREFUSED|connection refused/,
    status: "errored",
  },
  {
    check: "infrastructure.cache-cluster",
    what: "a node without an append-only file",
    plant: async () => {
      await withNodes(cache, async ([, , third]) => third?.command("CONFIG", "SET", "appendonly", "no"));
      return () => withNodes(cache, async ([, , third]) => third?.command("CONFIG", "SET", "appendonly", "yes"));
    },
    says: /keeps no append-only file/,
  },
  { check: "infrastructure.app-instances", what: "an instance answers 503", plant: status("app-2", 503), says: /app-2 answers 503/ },
  {
    check: "infrastructure.app-instances",
    what: "an instance was left out of use",
    plant: async () => {
      await writeFile(join(folder, "drain-app-3.on"), "");
      return () => rm(join(folder, "drain-app-3.on"));
    },
    says: /app-3 is kept out of use/,
  },
  {
    check: "infrastructure.scheduled-backup",
    what: "the newest backup is old",
    plant: async () => {
      const file = await newestBackup();
      const old = join(folder, backupFileName({ stack: "test", at: new Date(Date.now() - 10 * 3_600_000), attempt: 1 }));
      await rename(file, old);
      await utimes(old, new Date(), new Date());
      return () => rename(old, file);
    },
    says: /10\.0 hours old, and one is due every 6/,
  },
  { check: "infrastructure.scheduled-backup", what: "its service fails", plant: status("backup", 503), says: /its service answers 503/ },
  {
    check: "infrastructure.scheduled-backup",
    what: "the newest backup is cut off",
    plant: async () => {
      await truncate(await newestBackup(), 500);
      return async () => {
        await rm(await newestBackup());
        await backupDatabase({ staging: replica.staging, stack: "test", folder });
      };
    },
    says: /is damaged|incomplete|cut off|unexpected end/i,
  },
];

/** What a fault leaves is mended when its check passes again. */
async function untilPassed(check: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while ((await validate([check])).some(({ status }) => status !== "passed")) {
    if (Date.now() > deadline) throw new Error(`${check} does not pass again`);
    await sleep(100);
  }
}

let falseAlarms = 0;

describe("a healthy topology", () => {
  it("passes every check", async () => {
    const results = await validate();
    falseAlarms = results.filter(({ status }) => status !== "passed").length;
    expect(results.map(({ id, status, evidence }) => [id, status, status === "passed" ? "" : evidence])).toEqual(
      ["infrastructure.replica-lag", "infrastructure.replica-read-only", "infrastructure.cache-cluster", "infrastructure.app-instances", "integration.database-pool", "security.database-pool-password", "infrastructure.scheduled-backup"].map((id) => [id, "passed", ""]),
    );
  });

  it("is not asked for what it does not have", () => {
    const { replica: _, ...staging } = replica.staging;
    expect(topologyChecks({ staging, redis: { host: "127.0.0.1", port: 1, password: "" }, appInstances: [{ service: "app", url: "" }] })).toEqual([]);
  });
});

let found = 0;

describe("planted faults", () => {
  it.each(faults)("$check: $what", async ({ check, plant, says, status: expected = "failed" }) => {
    const undo = await plant();
    const [result] = await validate([check]).finally(undo);
    expect(result?.evidence).toMatch(says);
    expect(result?.status).toBe(expected);
    found += 1;
    expect((await validate([check])).map(({ status }) => status)).toEqual(["passed"]);
  });

  it("a pool that leads elsewhere, and one that lets everybody in", async () => {
    const source = { ...target.staging, database: "postgres" };
    await onPrimary(`GRANT CONNECT ON DATABASE postgres TO staging_user`);
    const elsewhere = await startPool(replica.staging, (ini) => ini.replace("dbname=staging_db", `dbname=${source.database}`));
    const open = await startPool(replica.staging, (ini) => ini.replace("auth_type = scram-sha-256", "auth_type = trust"));
    try {
      expect((await validate(["integration.database-pool"], { pool: elsewhere }))[0]).toMatchObject({ status: "failed", evidence: expect.stringContaining("another database") });
      expect((await validate(["security.database-pool-password"], { pool: open }))[0]).toMatchObject({ status: "failed", evidence: "it let somebody in with a wrong password" });
      found += 2;
    } finally {
      await Promise.all([elsewhere.stop(), open.stop()]);
    }
  });

  it("a promoted replica fails both of its checks", async () => {
    await promoteReplica({ staging: replica.staging, stack: "test" });
    expect((await validate(["infrastructure.replica-lag", "infrastructure.replica-read-only"])).map(({ status, evidence }) => [status, evidence])).toEqual([
      ["failed", expect.stringContaining("promoted")],
      ["failed", "it takes writes of admin, owner, app"],
    ]);
    found += 2;
  });

  it("covers every check there is", () => {
    console.log(`found ${found} / planted ${faults.length + 4}, false alarms ${falseAlarms}`);
    const planted = new Set([...faults.map(({ check }) => check), "integration.database-pool", "security.database-pool-password", "infrastructure.replica-read-only"]);
    expect(topologyChecks(target).map(({ id }) => id).filter((id) => !planted.has(id))).toEqual([]);
  });
});
