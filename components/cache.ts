import { all, ComponentResource, interpolate, type ComponentResourceOptions, type Output, type Resource } from "@pulumi/pulumi";
import { cacheBusPorts, cachePorts, type StackConfig } from "../config.ts";
import { nodeTimeoutMs, type CacheNode } from "../engine/cache/node.ts";
import type { Service, Volume } from "../platforms/platform.ts";
import { CacheCluster } from "../resources/cacheCluster.ts";
import type { StackContext } from "./context.ts";

export interface CacheArgs {
  readonly context: StackContext;
}

/** A server, and where the others of its cluster reach it. */
interface Member {
  readonly name: string;
  readonly port: number;
  readonly busPort?: number;
}

/** Redis with a password and an append-only file, its memory bounded: one server, or a cluster. */
export class Cache extends ComponentResource {
  /** Every server, the first of the cluster first. */
  readonly services: readonly Service[];
  readonly password: Output<string>;
  /** `redis://:password@host:port/0` of the first server, a secret. */
  readonly url: Output<string>;
  /** Nodes of the cluster; none when it is one server. */
  readonly nodes: readonly CacheNode[];
  /** What has to be there before the cache can be used. */
  readonly ready: Resource;

  constructor(name: string, args: CacheArgs, opts: ComponentResourceOptions) {
    super("understudy:index:Cache", name, {}, opts);
    const { platform } = args.context;
    const members = membersOf(args.context);

    this.password = platform.secret("cache-password", { parent: this });
    const volumes = members.map((member) => platform.volume(member.name, "redis", { parent: this }));
    const services: Service[] = [];
    for (const [index, member] of members.entries()) services.push(this.#createServer(args.context, member, { volume: volumes[index], after: services.at(-1) }));
    this.services = services;
    this.nodes = members.flatMap(({ name, port, busPort }) => (busPort === undefined ? [] : [{ host: platform.hostOf(name), port, busPort }]));
    const [first] = this.services;
    this.ready = this.nodes.length === 0 && first !== undefined ? first.resource : this.#createCluster(volumes);
    const address = platform.addressOf("cache", args.context.ports.cache);
    this.url = interpolate`redis://:${this.password}@${address.host}:${address.port}/0`;
    this.registerOutputs({ ports: members.map(({ port }) => port) });
  }

  /** Each waits for the one before it, so that a change goes through the nodes one at a time. */
  #createServer(
    { platform, config }: StackContext,
    { name, port, busPort }: Member,
    { volume, after }: { readonly volume: Volume | undefined; readonly after: Service | undefined },
  ): Service {
    return platform.service(
      {
        name,
        program: { kind: "redis", configFile: "redis.conf" },
        ports: { main: port, ...(busPort === undefined ? {} : { bus: busPort }) },
        files: [
          { path: "redis.conf", content: redisConf({ ...platform.listenAddress(name, port), busPort, cache: config.cache }) },
          { path: "password.conf", content: interpolate`requirepass ${this.password}\n${busPort === undefined ? "" : interpolate`masterauth ${this.password}\n`}`, secret: true },
        ],
        volume: name,
        logs: { timestamps: false },
        probe: { kind: "redis", password: this.password, ...(busPort === undefined ? {} : { clusterNode: true }) },
        health: config.health,
      },
      { parent: this, ...(volume === undefined ? {} : { volume }), ...(after === undefined ? {} : { dependsOn: [after.resource] }) },
    );
  }

  #createCluster(volumes: readonly Volume[]): CacheCluster {
    return new CacheCluster(
      "cache-cluster",
      { nodes: this.nodes, password: this.password, volumeIds: all(volumes.map(({ id }) => id)) },
      { parent: this, dependsOn: this.services.map(({ resource }) => resource) },
    );
  }
}

function membersOf({ config, ports }: StackContext): Member[] {
  if (config.cache.cluster === 0) return [{ name: "cache", port: ports.cache }];
  return cachePorts.map((key, index) => {
    const bus = cacheBusPorts[index];
    return { name: index === 0 ? "cache" : `cache-${index + 1}`, port: ports[key], ...(bus === undefined ? {} : { busPort: ports[bus] }) };
  });
}

/** `redis.conf`, the password in a file of its own. */
export function redisConf(args: { readonly host: string; readonly port: number; readonly busPort?: number | undefined; readonly cache: StackConfig["cache"] }): string {
  const { appendOnly, appendFsync, maxMemoryMb } = args.cache;
  return [
    `bind ${args.host}`,
    `port ${args.port}`,
    "protected-mode yes",
    "include password.conf",
    `appendonly ${appendOnly ? "yes" : "no"}`,
    `appendfsync ${appendFsync}`,
    'save ""',
    `maxmemory ${maxMemoryMb}mb`,
    "maxmemory-policy noeviction",
    "daemonize no",
    "tcp-keepalive 60",
    ...(args.busPort === undefined ? [] : clusterConf(args.host, args.busPort)),
    "",
  ].join("\n");
}

function clusterConf(host: string, busPort: number): string[] {
  return [
    "cluster-enabled yes",
    // Beside the data: who a node is survives a restart.
    "cluster-config-file nodes.conf",
    `cluster-port ${busPort}`,
    `cluster-announce-ip ${host}`,
    `cluster-node-timeout ${nodeTimeoutMs}`,
    // The other slots stay in use while a node is away.
    "cluster-require-full-coverage no",
    // Nobody else has what a node that came back holds: it may be read before it takes part again.
    "cluster-allow-reads-when-down yes",
  ];
}
