import { z } from "zod";
import { imageNames } from "./engine/docker/imageNames.ts";
import { exitCode, UnderstudyError } from "./engine/errors.ts";

const port = z.int().min(1).max(65_535);
/** Raise it to run that step again although nothing changed. */
const revision = z.int().min(0).default(1);
const enabled = z.boolean().default(true);

/** Ports by service; defaults from document 004, `portOffset` is added to each. */
export const defaultPorts = {
  https: 8080,
  http: 8081,
  app: 3001,
  database: 5434,
  cache: 6380,
  prometheus: 9091,
  grafana: 3002,
  source: 5435,
  alertmanager: 9094,
  nodeExporter: 9101,
  postgresExporter: 9187,
  redisExporter: 9121,
  nginxExporter: 9113,
  nginxStatus: 8082,
  app2: 3003,
  app3: 3004,
  app4: 3005,
  app5: 3006,
  databaseReplica: 5436,
  databasePool: 5437,
  cache2: 6381,
  cache3: 6382,
  cacheBus: 6390,
  cacheBus2: 6391,
  cacheBus3: 6392,
  replicaExporter: 9188,
  scheduledBackup: 9120,
  pgadmin: 5051,
} as const;
export type PortName = keyof typeof defaultPorts;

const ports = z.strictObject(
  Object.fromEntries(Object.entries(defaultPorts).map(([name, value]) => [name, port.default(value)])) as {
    [Name in PortName]: z.ZodDefault<typeof port>;
  },
);

/** The configuration of a stack: `understudy:KEY` in `Pulumi.STACK.yaml`. Every key has a default. */
export const stackConfig = z.strictObject({
  /** Folder under `workloads/`, or the path of one of your own. */
  workload: z.string().min(1).default("stories"),
  /** What the stack runs on. */
  platform: z.enum(["process", "docker"]).default("process"),
  /** Images in place of the pinned ones: a mirror's, or built here. */
  images: z.partialRecord(z.enum(imageNames), z.string().regex(/^[a-zA-Z0-9][\w./:@-]*$/, { error: "must be an image, such as registry.example.org/postgres:15" })).default({}),
  /** Of the stack's own network of containers; default by the stack, within 10.100.0.0 to 10.199.255.0. */
  subnet: z.string().regex(/^\d{1,3}\.\d{1,3}\.\d{1,3}\.0\/24$/, { error: "must be a network such as 10.123.4.0/24" }).optional(),
  /** Added to every port; `auto` takes the first multiple of 100 at which all are free. */
  portOffset: z
    .union([z.int().min(0).max(20_000), z.literal("auto")], { error: 'must be a whole number from 0 to 20000, or "auto"' })
    .default(0),
  ports: ports.prefault({}),
  /** Address that everything listens on. */
  listenHost: z.literal("127.0.0.1").default("127.0.0.1"),
  /** Production's connection URL, read-only; a secret. Without one, a sample production is made. */
  sourceUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\/[^/]+\/[^/?]+/, { error: "must be postgresql://user:password@host:port/database" })
    .optional(),
  source: z
    .strictObject({
      /** Users of the sample production. */
      users: z.int().min(10).max(50_000_000).default(2_000),
      /** Accept a production role that could write. Sessions are read-only all the same. */
      allowWritable: z.boolean().default(false),
    })
    .prefault({}),
  database: z
    .strictObject({
      name: z.string().regex(/^[a-z_][a-z0-9_]{0,40}$/).default("staging_db"),
      /** Settings of postgresql.conf. */
      settings: z.record(z.string().regex(/^[a-z_.]+$/), z.string()).default({}),
      /** Read replicas by streaming replication: none, or one. */
      replicas: z.int().min(0).max(1).default(0),
      /** The app's connections go through PgBouncer, in transaction mode. */
      pooling: z.boolean().default(false),
    })
    .prefault({}),
  cache: z
    .strictObject({
      appendOnly: z.boolean().default(true),
      appendFsync: z.enum(["always", "everysec", "no"]).default("everysec"),
      maxMemoryMb: z.int().min(8).default(256),
      /** Nodes of a Redis cluster; 0: one server without a cluster. */
      cluster: z.union([z.literal(0), z.literal(3)], { error: "must be 0 (one server) or 3 (a cluster of three)" }).default(0),
    })
    .prefault({}),
  copy: z
    .strictObject({
      /** Root rows that are copied with all that belongs to them. */
      limit: z.int().min(1).default(10),
      /** Sessions on production at a time; default as many as cores here, 2 to 4. */
      maxConnections: z.int().min(2).max(64).optional(),
      /** Rows read of production a second, all sessions together; default no bound. */
      maxRowsPerSecond: z.int().min(1).optional(),
      /** The copy stops when a standby of production, or production as a standby, is further behind. */
      maxReplicationLagSeconds: z.number().min(0).optional(),
      /** The copy stops when more sessions of others are at work on production. */
      maxActiveSessions: z.int().min(0).optional(),
      revision,
    })
    .prefault({}),
  backup: z
    .strictObject({
      keepHours: z.int().min(1).default(24),
      /** Backups on a schedule, kept with the stack; 0: only before a copy overwrites the database. */
      everyHours: z.int().min(0).max(168).default(0),
    })
    .prefault({}),
  app: z
    .strictObject({
      /** Instances behind the proxy. */
      replicas: z.int().min(1).max(5).default(1),
      /** The real app instead of the reference app: program and arguments. It gets PORT, HOST and the stack's environment. */
      command: z.array(z.string().min(1)).min(1).optional(),
      /** Where that command runs; relative to the project. */
      workingFolder: z.string().default("."),
      healthPath: z.string().startsWith("/").optional(),
      metricsPath: z.string().startsWith("/").optional(),
      environment: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string()).default({}),
    })
    .prefault({}),
  proxy: z
    .strictObject({
      bannerText: z.string().max(200).default("Masked data, self-signed certificate. Nothing here is real."),
      maxBodyMb: z.int().min(1).max(1_024).default(1),
      /** Default fits a server-rendered app with its own assets and no inline code. */
      contentSecurityPolicy: z.string().min(1).optional(),
      /** Requests that one address may make. */
      rateLimits: z
        .strictObject({
          pagesPerSecond: z.int().min(1).default(200),
          pagesBurst: z.int().min(1).default(400),
          signInPerMinute: z.int().min(1).default(20),
          signInBurst: z.int().min(1).default(10),
        })
        .prefault({}),
    })
    .prefault({}),
  monitoring: z
    .strictObject({
      enabled,
      /** At least 2: with its server gone, an exporter takes a second to say so. */
      scrapeIntervalSeconds: z.int().min(2).max(300).default(5),
      retention: z.string().regex(/^\d+[hdw]$/).default("24h"),
      /** Default: where there is one, a program or an image. */
      grafana: z.boolean().optional(),
    })
    .prefault({}),
  /** pgAdmin; in a container only. */
  admin: z.strictObject({ enabled: z.boolean().default(false) }).prefault({}),
  rehearsal: z.strictObject({ enabled, revision }).prefault({}),
  validation: z.strictObject({ enabled, quick: z.boolean().default(false), revision }).prefault({}),
  /** Probing of every service; defaults from document 004. */
  health: z
    .strictObject({
      intervalMs: z.int().min(50).default(15_000),
      timeoutMs: z.int().min(50).default(10_000),
      retries: z.int().min(1).default(5),
      startPeriodMs: z.int().min(0).default(30_000),
    })
    .prefault({}),
});
export type StackConfig = z.infer<typeof stackConfig>;

/** A value of Pulumi's configuration: structured ones are JSON, plain ones are not. */
function decode(text: string): unknown {
  if (!/^(\[|\{|"|-?\d+(\.\d+)?$|true$|false$|null$)/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const secretKeys = new Set(["sourceUrl"]);

function describe(issue: z.core.$ZodIssue, values: Readonly<Record<string, unknown>>): string {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const where = path.length === 0 ? "" : `${path.join(".")}.`;
    return issue.keys.map((key) => `understudy:${where}${key} is not a key`).join("; ");
  }
  const value = path.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined),
    values,
  );
  const shown = secretKeys.has(path[0] ?? "") ? "[secret]" : JSON.stringify(value);
  return `understudy:${path.join(".")} = ${shown}: ${issue.message}`;
}

/**
 * Reads the configuration from what Pulumi has (`project:key` → text; other projects' keys are left alone).
 * @throws UnderstudyError (exit 2) that names every wrong key at once, with its value and what is allowed.
 */
export function parseConfig(entries: Readonly<Record<string, string>>, project = "understudy"): StackConfig {
  const own = Object.entries(entries).filter(([key]) => key.startsWith(`${project}:`));
  const values = Object.fromEntries(
    own.map(([key, text]) => [key.slice(project.length + 1), secretKeys.has(key.slice(project.length + 1)) ? text : decode(text)]),
  );
  const result = stackConfig.safeParse(values);
  if (!result.success) {
    const problems = result.error.issues.map((issue) => describe(issue, values));
    throw new UnderstudyError(`The stack's configuration has ${problems.length} problem(s): ${problems.join("; ")}.`, {
      exitCode: exitCode.usage,
      remedy: "See docs/configuration.md.",
    });
  }
  if (result.data.admin.enabled && result.data.platform === "process") {
    throw new UnderstudyError("understudy:admin.enabled = true: pgAdmin comes as an image only; allowed with understudy:platform = docker.", { exitCode: exitCode.usage });
  }
  const lacking = result.data.platform === "docker" ? notOnDocker(result.data) : [];
  if (lacking.length > 0) {
    throw new UnderstudyError(`Platform docker does not have these yet: ${lacking.join("; ")}.`, { exitCode: exitCode.usage, remedy: "Leave them out, or set understudy:platform to process." });
  }
  const clash = duplicatePorts(result.data.ports);
  if (clash.length > 0) {
    throw new UnderstudyError(`understudy:ports gives one port to two services: ${clash.join("; ")}.`, { exitCode: exitCode.usage });
  }
  return result.data;
}

function notOnDocker({ database, cache, backup }: StackConfig): string[] {
  return [
    ...(database.replicas > 0 ? ["a read replica (database.replicas)"] : []),
    ...(database.pooling ? ["PgBouncer (database.pooling)"] : []),
    ...(cache.cluster > 0 ? ["a Redis cluster (cache.cluster)"] : []),
    ...(backup.everyHours > 0 ? ["backups on a schedule (backup.everyHours)"] : []),
  ];
}

function duplicatePorts(ports: Readonly<Record<string, number>>): string[] {
  const byPort = Map.groupBy(Object.entries(ports), ([, number]) => number);
  return [...byPort].filter(([, names]) => names.length > 1).map(([number, names]) => `${number} for ${names.map(([name]) => name).join(" and ")}`);
}

/** Every port with its offset, opened or not. */
export function effectivePorts(config: StackConfig, offset: number): Record<PortName, number> {
  return Object.fromEntries(
    Object.entries(config.ports).map(([name, number]) => [name, number + offset]),
  ) as Record<PortName, number>;
}

/** Ports by the app's instance, by the cluster's node: service and bus. */
export const appPorts = ["app", "app2", "app3", "app4", "app5"] as const satisfies readonly PortName[];
export const cachePorts = ["cache", "cache2", "cache3"] as const satisfies readonly PortName[];
export const cacheBusPorts = ["cacheBus", "cacheBus2", "cacheBus3"] as const satisfies readonly PortName[];

/** The ports that this configuration really opens. */
export function openPorts(config: StackConfig, all: Readonly<Record<PortName, number>>, grafana: boolean): Record<string, number> {
  const { app, backup, cache, database, monitoring, sourceUrl } = config;
  const open: readonly (readonly [boolean, readonly PortName[]])[] = [
    [true, ["https", "http", "nginxStatus", "database", "cache", ...appPorts.slice(0, app.replicas)]],
    [sourceUrl === undefined, ["source"]],
    [database.replicas > 0, ["databaseReplica"]],
    [database.pooling, ["databasePool"]],
    [cache.cluster > 0, [...cachePorts, ...cacheBusPorts]],
    [backup.everyHours > 0, ["scheduledBackup"]],
    [monitoring.enabled, ["prometheus", "alertmanager", "nodeExporter", "postgresExporter", "redisExporter", "nginxExporter"]],
    [monitoring.enabled && database.replicas > 0, ["replicaExporter"]],
    [monitoring.enabled && grafana, ["grafana"]],
    [config.admin.enabled, ["pgadmin"]],
  ];
  const names = new Set<string>(open.flatMap(([opened, ports]) => (opened ? ports : [])));
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)));
}
