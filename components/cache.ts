import { ComponentResource, interpolate, type ComponentResourceOptions, type Output } from "@pulumi/pulumi";
import type { StackConfig } from "../config.ts";
import type { Service } from "../platforms/platform.ts";
import type { StackContext } from "./context.ts";

export interface CacheArgs {
  readonly context: StackContext;
}

/** Redis with a password and an append-only file, its memory bounded. */
export class Cache extends ComponentResource {
  readonly service: Service;
  readonly password: Output<string>;
  /** `redis://:password@host:port/0`, a secret. */
  readonly url: Output<string>;

  constructor(name: string, args: CacheArgs, opts: ComponentResourceOptions) {
    super("understudy:index:Cache", name, {}, opts);
    const { platform, config, ports } = args.context;
    const port = ports.cache;
    const host = platform.hostOf("cache");

    this.password = platform.secret("cache-password", { parent: this });
    this.service = platform.service(
      {
        name: "cache",
        program: { kind: "redis", configFile: "redis.conf" },
        ports: { main: port },
        files: [
          { path: "redis.conf", content: redisConf({ host, port, cache: config.cache }) },
          { path: "password.conf", content: interpolate`requirepass ${this.password}\n`, secret: true },
        ],
        volume: "cache",
        logs: { timestamps: false },
        probe: { kind: "redis", password: this.password },
        health: config.health,
      },
      { parent: this, volume: platform.volume("cache", "redis", { parent: this }) },
    );
    this.url = interpolate`redis://:${this.password}@${host}:${port}/0`;
    this.registerOutputs({ port });
  }
}

/** `redis.conf`, the password in a file of its own. */
export function redisConf(args: { readonly host: string; readonly port: number; readonly cache: StackConfig["cache"] }): string {
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
    "",
  ].join("\n");
}
