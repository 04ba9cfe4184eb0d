import { randomBytes } from "node:crypto";
import { createClient, createCluster } from "redis";
import type { FastifyBaseLogger } from "fastify";
import { codeOf } from "../../shared/connectionLoss.ts";
import { withDeadline } from "../../shared/deadline.ts";
import type { Metrics } from "./metrics.ts";

const operationTimeoutMs = 1_500;
const longestReconnectPauseMs = 1_000;

interface CacheOptions {
  readonly url: string;
  /** Nodes of the cluster; none when it is one server. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
}

/** The commands that the app uses, of one server and of a cluster alike. */
type Client = Pick<ReturnType<typeof createClient>, "get" | "set" | "del" | "isReady" | "isOpen" | "close" | "destroy"> & {
  connect(): Promise<unknown>;
  on(event: "error" | "ready", listener: (error: unknown) => void): unknown;
};

const socket = {
  connectTimeout: 2_000,
  reconnectStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, longestReconnectPauseMs),
};

/** Fails at once while disconnected: a request must not wait for a cache that may not come back. */
function clientOf({ url, nodes }: CacheOptions): Client {
  if (nodes.length === 0) return createClient({ url, name: "stories-app", disableOfflineQueue: true, socket });
  // A cluster's node is back soon, and the others answer: there a command waits, for as long as its deadline lets it.
  return createCluster({
    rootNodes: nodes.map(({ host, port }) => ({ socket: { ...socket, host, port } })),
    defaults: { password: decodeURIComponent(new URL(url).password), name: "stories-app", socket },
  });
}

/** The cache cannot be reached; nothing was read or written. */
export class CacheUnavailable extends Error {
  readonly code: string;

  constructor(cause: unknown) {
    super("the cache does not answer", { cause });
    this.name = "CacheUnavailable";
    this.code = codeOf(cause);
  }
}

/** Redis, with a deadline for each operation. Reconnects by itself for as long as the app runs. */
export class Cache {
  readonly #client: Client;
  readonly #metrics: Metrics;
  #closed = false;

  constructor(options: CacheOptions) {
    this.#metrics = options.metrics;
    this.#client = clientOf(options);
    let wasReady = true;
    this.#client.on("error", (error: unknown) => {
      if (wasReady) options.log.warn({ code: codeOf(error) }, "the cache connection was lost");
      wasReady = false;
    });
    this.#client.on("ready", () => {
      if (!wasReady) options.log.info("the cache is back");
      wasReady = true;
    });
  }

  /** Starts to connect; does not wait, for the app answers without its cache too. */
  connect(): void {
    this.#client.connect().catch(() => {
      // One server is tried again by its client; a cluster of which no node answered is not.
      if (!this.#client.isOpen && !this.#closed) setTimeout(() => this.connect(), longestReconnectPauseMs).unref();
    });
  }

  async get(key: string): Promise<string | null> {
    return this.#run("get", () => this.#client.get(key));
  }

  async set(key: string, value: string, ttlSeconds: number): Promise<void> {
    await this.#run("set", () => this.#client.set(key, value, { expiration: { type: "EX", value: ttlSeconds } }));
  }

  async delete(key: string): Promise<void> {
    await this.#run("delete", () => this.#client.del(key));
  }

  /** Writes a value and reads it back. */
  async probe(): Promise<void> {
    const key = `health:${randomBytes(8).toString("hex")}`;
    await this.set(key, key, 5);
    const read = await this.get(key);
    if (read !== key) throw new CacheUnavailable(new Error("what was written was not read back"));
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#client.isReady) await withDeadline(this.#client.close(), operationTimeoutMs).catch(() => this.#client.destroy());
    else if (this.#client.isOpen) this.#client.destroy();
  }

  async #run<Result>(operation: string, run: () => Promise<Result>): Promise<Result> {
    try {
      const result = await withDeadline(run(), operationTimeoutMs);
      this.#metrics.cacheOperations.inc({ operation, result: "ok" });
      return result;
    } catch (error) {
      this.#metrics.cacheOperations.inc({ operation, result: "error" });
      throw new CacheUnavailable(error);
    }
  }
}
