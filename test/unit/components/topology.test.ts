import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { runProgram, type ProgramRun, type Registered } from "../../support/program.ts";

const kindOf = (type: string) => type.split(":").at(-1);
const large = { database: { replicas: 1, pooling: true }, cache: { cluster: 3 }, app: { replicas: 3 }, backup: { everyHours: 6 } };

function fileOf({ inputs }: Registered, path: string): string {
  const files = [...(inputs["files"] as { path: string; content: string }[]), ...(inputs["secretFiles"] as { path: string; content: string }[])];
  return files.find((file) => file.path === path)?.content ?? "";
}

describe("the larger topology", () => {
  let run: ProgramRun;
  beforeAll(async () => {
    run = await runProgram(large);
  });
  const namesOf = (kind: string) => run.resources.filter(({ type }) => kindOf(type) === kind).map(({ name }) => name).sort();
  const service = (name: string) => run.resource("Service", name);

  it("is made of exactly these components beyond the usual ones", () => {
    const components = run.resources.filter(({ type }) => type.startsWith("understudy:")).map(({ type, name }) => `${type} ${name}`).sort();
    expect(components).toEqual([
      "understudy:index:App app",
      "understudy:index:Cache cache",
      "understudy:index:Database database",
      "understudy:index:Database source",
      "understudy:index:DatabasePool database-pool",
      "understudy:index:DatabaseReplica database-replica",
      "understudy:index:Monitoring monitoring",
      "understudy:index:Proxy proxy",
      "understudy:index:ScheduledBackup scheduled-backup",
      "understudy:index:StagingStack local",
      "understudy:platform:Process process",
    ]);
  });

  it("runs exactly these services, on volumes of their own", () => {
    expect(namesOf("Service")).toEqual([
      "alertmanager", "app", "app-2", "app-3", "cache", "cache-2", "cache-3", "database", "database-pool", "database-replica", "nginx-exporter", "node-exporter",
      "postgres-exporter", "prometheus", "proxy", "redis-exporter", "replica-exporter", "scheduled-backup", "source",
    ]);
    expect(namesOf("Volume")).toEqual([
      "alertmanager-data", "cache-2-data", "cache-3-data", "cache-data", "database-data", "database-replica-data", "prometheus-data", "scheduled-backup-data", "source-data",
    ]);
    expect(namesOf("Replication")).toEqual(["replication"]);
    expect(namesOf("CacheCluster")).toEqual(["cache-cluster"]);
    expect(namesOf("Secret")).toContain("replication-password");
  });

  it("leases every port of it, each once", () => {
    const { ports } = run.resource("PortLeases", "ports").inputs as { ports: Record<string, number> };
    expect(ports).toMatchObject({
      app: 3001, app2: 3003, app3: 3004, databaseReplica: 5436, databasePool: 5437, cache: 6380, cache2: 6381, cache3: 6382,
      cacheBus: 6390, cacheBus2: 6391, cacheBus3: 6392, replicaExporter: 9188, scheduledBackup: 9120,
    });
    expect(ports).not.toHaveProperty("app4");
    expect(new Set(Object.values(ports)).size).toBe(Object.keys(ports).length);
    const used = run.resources.filter(({ type }) => kindOf(type) === "Service").flatMap(({ inputs }) => Object.values(inputs["ports"] as Record<string, number>));
    expect(used.filter((port) => !Object.values(ports).includes(port))).toEqual([]);
  });

  it("copies the replica from the primary, by a role and a slot of its own", () => {
    expect(run.resource("Replication", "replication").inputs).toMatchObject({ slot: "database_replica", password: "secret-of-replication-password", volumeId: "volume-of-database-data" });
    const { inputs } = service("database-replica");
    expect(inputs["standby"]).toMatchObject({
      primary: { host: "127.0.0.1", port: 5434, user: "staging_replication", password: "secret-of-replication-password" },
      slot: "database_replica",
      base: "base-of-replication",
    });
    expect(inputs).not.toHaveProperty("cluster");
    expect(inputs["probe"]).toMatchObject({ kind: "postgres", connection: { port: 5436 }, standby: { maxLagBytes: 1_048_576 } });
    const settings = (inputs["arguments"] as string[]).join(" ");
    expect(settings).toContain("primary_slot_name=database_replica");
    expect(settings).toMatch(/primary_conninfo=host='127\.0\.0\.1' port=5434 user='staging_replication' application_name='database-replica' passfile='.*\/etc\/database-replica\/replication\.pass'/);
    expect(fileOf(service("database-replica"), "replication.pass")).toBe("127.0.0.1:5434:*:staging_replication:secret-of-replication-password\n");
  });

  it("makes one cluster of the cache's nodes, each with its bus and its append-only file", () => {
    expect(run.resource("CacheCluster", "cache-cluster").inputs).toEqual({
      nodes: [{ host: "127.0.0.1", port: 6380, busPort: 6390 }, { host: "127.0.0.1", port: 6381, busPort: 6391 }, { host: "127.0.0.1", port: 6382, busPort: 6392 }],
      password: "secret-of-cache-password",
      volumeIds: ["volume-of-cache-data", "volume-of-cache-2-data", "volume-of-cache-3-data"],
    });
    const conf = fileOf(service("cache-2"), "redis.conf").split("\n");
    for (const line of ["port 6381", "cluster-enabled yes", "cluster-port 6391", "appendonly yes", "bind 127.0.0.1"]) expect(conf).toContain(line);
    expect(service("cache-3").inputs["probe"]).toMatchObject({ kind: "redis", port: 6382, clusterNode: true });
  });

  it("tells every instance of the app where everything is", () => {
    for (const [name, port] of [["app", "3001"], ["app-2", "3003"], ["app-3", "3004"]] as const) {
      expect(service(name).inputs["environment"], name).toMatchObject({
        HOST: "127.0.0.1",
        PORT: port,
        DATABASE_URL: "postgresql://staging_user:secret-of-app-password@127.0.0.1:5437/staging_db",
        DATABASE_REPLICA_URL: "postgresql://staging_user:secret-of-app-password@127.0.0.1:5436/staging_db",
        REDIS_URL: "redis://:secret-of-cache-password@127.0.0.1:6380/0",
        REDIS_CLUSTER_NODES: "127.0.0.1:6380,127.0.0.1:6381,127.0.0.1:6382",
        REDIS_PASSWORD: "secret-of-cache-password",
        SESSION_SECRET: "secret-of-session-secret",
      });
      expect(service(name).inputs["drainFile"], name).toMatch(new RegExp(`/etc/proxy/drain-${name}\\.on$`));
    }
  });

  it("sends requests to every instance, and leaves out one whose flag is up", () => {
    const conf = fileOf(service("proxy"), "nginx.conf");
    const pool = (name: string) => [...(new RegExp(`upstream ${name} \\{[^}]*\\}`).exec(conf)?.[0] ?? "").matchAll(/server 127\.0\.0\.1:(\d+) max_fails=3 fail_timeout=5s;/g)].map(([, port]) => port);
    expect(pool("app")).toEqual(["3001", "3003", "3004"]);
    expect(pool("app_without_2")).toEqual(["3001", "3004"]);
    expect(conf).toMatch(/if \(-f ".*\/etc\/proxy\/drain-app-2\.on"\) \{\s+set \$app_pool app_without_2;/);
    expect(conf).not.toContain("proxy_pass http://app;");
  });

  it("pools the app's connections with SCRAM, the password in a secret file", () => {
    const ini = fileOf(service("database-pool"), "pgbouncer.ini");
    for (const line of ["pool_mode = transaction", "auth_type = scram-sha-256", "staging_db = host=127.0.0.1 port=5434 dbname=staging_db", "listen_addr = 127.0.0.1"]) expect(ini.split("\n")).toContain(line);
    expect(ini).not.toContain("secret-of");
    expect(fileOf(service("database-pool"), "users.txt")).toBe('"staging_user" "secret-of-app-password"\n');
  });

  it("backs up every six hours and keeps 24 hours of it", () => {
    expect(service("scheduled-backup").inputs["environment"]).toMatchObject({ BACKUP_EVERY_SECONDS: "21600", BACKUP_KEEP_HOURS: "24", BACKUP_STACK: "local" });
    expect(service("scheduled-backup").inputs["probe"]).toMatchObject({ url: "http://127.0.0.1:9120/health" });
  });

  it("watches every node, instance and replica, with rules for them", () => {
    const { scrape_configs: jobs, rule_files: rules } = parse(fileOf(service("prometheus"), "prometheus.yml")) as {
      scrape_configs: { job_name: string; metrics_path: string; static_configs: { targets: string[]; labels?: Record<string, string> }[] }[];
      rule_files: string[];
    };
    const targets = (job: string) => jobs.find(({ job_name }) => job_name === job)?.static_configs;
    expect(targets("app")).toEqual([{ targets: ["127.0.0.1:3001", "127.0.0.1:3003", "127.0.0.1:3004"] }]);
    expect(targets("postgres-replica")).toEqual([{ targets: ["127.0.0.1:9188"] }]);
    expect(targets("backup")).toEqual([{ targets: ["127.0.0.1:9120"] }]);
    expect(targets("redis")?.map(({ labels }) => labels)).toEqual(
      [6380, 6381, 6382].map((port) => ({ __param_target: `redis://127.0.0.1:${port}`, instance: `127.0.0.1:${port}` })),
    );
    expect(rules).toEqual(["rules/alerts.yaml", "rules/topology.yaml"]);
    expect(fileOf(service("prometheus"), "rules/topology.yaml")).toContain("ReplicaDisconnected");
  });

  it("proves all of it, and keeps every secret out of arguments and plain files", () => {
    expect((run.resource("Validation", "validation").inputs["subject"] as string[]).filter((one) => one.startsWith("fingerprint-of-"))).toHaveLength(19);
    const { target } = run.resource("Validation", "validation").inputs as { target: { services: { name: string; morePorts: number[]; secretFiles: string[] }[]; appInstances: unknown[] } };
    expect(target.services.find(({ name }) => name === "cache-2")).toMatchObject({ morePorts: [6391], secretFiles: ["password.conf"] });
    expect(target.appInstances).toHaveLength(3);
    for (const { name, inputs } of run.resources.filter(({ type }) => kindOf(type) === "Service")) {
      expect(JSON.stringify([inputs["arguments"], inputs["files"]]), name).not.toMatch(/secret-of-|KEY/);
    }
  });
});

describe("each part by itself", () => {
  it.each([
    [{ database: { replicas: 1 } }, ["database-replica", "replica-exporter"]],
    [{ database: { pooling: true } }, ["database-pool"]],
    [{ cache: { cluster: 3 } }, ["cache-2", "cache-3"]],
    [{ app: { replicas: 2 } }, ["app-2"]],
    [{ backup: { everyHours: 1 } }, ["scheduled-backup"]],
  ])("%j adds %j and nothing else", async (config, added) => {
    const services = (run: ProgramRun) => run.resources.filter(({ type }) => kindOf(type) === "Service").map(({ name }) => name);
    const usual = new Set(services(await runProgram()));
    expect(services(await runProgram(config)).filter((name) => !usual.has(name)).sort()).toEqual(added);
  });

  it("names a wrong size at once", async () => {
    await expect(runProgram({ cache: { cluster: 2 }, database: { replicas: 2 }, app: { replicas: 6 } })).rejects.toThrow(/3 problem.*database\.replicas = 2.*cache\.cluster = 2: must be 0.*app\.replicas = 6/s);
  });
});
