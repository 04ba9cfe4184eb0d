import { all, secret, type Input, type Output } from "@pulumi/pulumi";
import { cacheBusPorts } from "../config.ts";
import type { ConnectionSettings } from "../engine/postgres/connection.ts";
import type { StagingDatabase } from "../engine/staging/database.ts";
import type { Service } from "../platforms/platform.ts";
import type { TargetDescription } from "../resources/validationTarget.ts";
import type { App } from "./app.ts";
import type { Cache } from "./cache.ts";
import type { StackContext } from "./context.ts";
import type { DatabasePool } from "./databasePool.ts";
import type { Monitoring } from "./monitoring.ts";
import type { Proxy } from "./proxy.ts";
import { accessLogName, drainFlag, proxyFiles } from "./proxyFiles.ts";
import type { ScheduledBackup } from "./scheduledBackup.ts";

export interface TargetParts {
  readonly context: StackContext;
  readonly staging: Output<StagingDatabase>;
  readonly cache: Cache;
  readonly app: App;
  readonly proxy: Proxy;
  readonly pool: DatabasePool | undefined;
  readonly scheduledBackup: ScheduledBackup | undefined;
  readonly monitoring: Monitoring | undefined;
  readonly source: Input<ConnectionSettings>;
  readonly services: readonly Service[];
}

/** Files with passwords or keys, by service; every node of the cache has its own. */
const secretFiles: Readonly<Record<string, readonly string[]>> = {
  cache: ["password.conf"],
  proxy: [proxyFiles.key],
  "database-pool": ["users.txt"],
  "database-replica": ["replication.pass"],
};
const withData = new Set(["database", "database-replica", "scheduled-backup", "source", "cache"]);

/** `cache-2` is a `cache`. */
const kindOf = (service: string): string => service.replace(/-\d+$/, "");

/** The whole stack as plain data, for validation and for the command. Holds secrets. */
export function targetOf(parts: TargetParts): Output<TargetDescription> {
  const { context, staging, cache, app, proxy, pool, scheduledBackup, monitoring, source, services } = parts;
  const { platform, ports } = context;
  return secret(
    all([staging, cache.password, app.signInPassword, source]).apply(([staging, password, signInPassword, connection]) => ({
      stack: context.stack,
      platform: platform.kind,
      httpsUrl: proxy.url,
      httpUrl: `http://localhost:${ports.http}`,
      appUrl: `http://${platform.hostOf("app")}:${ports.app}`,
      staging,
      redis: { host: platform.hostOf("cache"), port: ports.cache, password, ...(cache.nodes.length === 0 ? {} : { nodes: cache.nodes }) },
      signInPassword,
      ...(monitoring === undefined ? {} : urlsOf(monitoring.urls)),
      source: connection,
      appInstances: app.instances.map(({ name, host, port }) => ({ service: name, url: `http://${host}:${port}`, drain: { service: proxy.service.name, path: drainFlag(name) } })),
      ...(pool === undefined ? {} : { pool: { host: pool.service.host, port: pool.service.port } }),
      ...(scheduledBackup === undefined
        ? {}
        : { scheduledBackup: { service: scheduledBackup.service.name, healthUrl: `http://${scheduledBackup.service.host}:${scheduledBackup.service.port}/health`, everyHours: context.config.backup.everyHours } }),
      services: services.map(({ name, host, port, container }) => ({
        name,
        ...(container === undefined ? {} : { container }),
        host,
        port,
        morePorts: morePortsOf(context, cache, name),
        secretFiles: secretFiles[kindOf(name)] ?? [],
        data: withData.has(kindOf(name)),
      })),
      certificate: { service: "proxy", path: proxyFiles.certificate },
      accessLog: { service: "proxy", path: `${accessLogName}/current` },
    })),
  );
}

/** A node's bus listens as well. */
function morePortsOf({ ports }: StackContext, { nodes, services }: Cache, name: string): number[] {
  const index = services.findIndex((service) => service.name === name);
  const key = cacheBusPorts[index];
  return nodes.length === 0 || key === undefined ? [] : [ports[key]];
}

function urlsOf(urls: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(urls).map(([name, url]) => [`${name}Url`, url]));
}
