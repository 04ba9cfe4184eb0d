import { createClient, createCluster } from "redis";
import type { FastifyBaseLogger } from "fastify";
import { codeOf } from "../../shared/connectionLoss.ts";
import { withDeadline } from "../../shared/deadline.ts";
import type { Metrics } from "./metrics.ts";
import type { CacheServer } from "./settings.ts";

const attemptTimeoutMs = 1_000;
/** A node that dies is back after two seconds and takes writes two seconds later; in a cluster without replicas nobody else has its keys. */
const retryForMs = 7_000;
const firstPauseMs = 20;
const longestReconnectPauseMs = 200;

/** Stands where something was that is no more; no JSON. */
const gone = "(gone)";

/** The cache cannot be reached; nothing was read or written. */
export class CacheUnavailable extends Error {
  readonly code: string;

  constructor(cause: unknown) {
    super("the cache does not answer", { cause });
    this.name = "CacheUnavailable";
    this.code = codeOf(cause);
  }
}

/** What a single Redis and a cluster have in common. */
interface Connection {
  connect(): Promise<unknown>;
  get(key: string): Promise<string | null>;
  set(key: string, value: string, ttlSeconds: number): Promise<unknown>;
  /** Changes nothing where there is something. */
  setNew(key: string, value: string, ttlSeconds: number): Promise<unknown>;
  delete(key: string): Promise<unknown>;
  /** Asks every server. @throws when one does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
  destroy(): void;
}

/** Redis, one server or a cluster. What must be had is tried again while a server is away; what merely saves time is not. */
export class Cache {
  readonly #connection: Connection;
  readonly #metrics: Metrics;
  readonly #log: FastifyBaseLogger;
  #closed = false;

  constructor(options: { server: CacheServer; metrics: Metrics; log: FastifyBaseLogger }) {
    this.#metrics = options.metrics;
    this.#log = options.log;
    let lostAt = 0;
    const onError = (error: unknown): void => {
      // One line a second, not one an attempt.
      if (Date.now() - lostAt > 1_000) options.log.warn({ code: codeOf(error) }, "a cache connection was lost");
      lostAt = Date.now();
    };
    this.#connection = options.server.kind === "single" ? single(options.server.url, onError) : cluster(options.server, onError);
  }

  /** Starts to connect, and goes on until it has; does not wait. */
  connect(): void {
    const attempt = (): void => {
      this.#connection.connect().catch(() => {
        if (!this.#closed) setTimeout(attempt, longestReconnectPauseMs);
      });
    };
    attempt();
  }

  /** @throws CacheUnavailable */
  async get(key: string): Promise<string | null> {
    return this.#insist("get", () => this.#connection.get(key));
  }

  /** @throws CacheUnavailable */
  async set(key: string, value: string, ttlSeconds: number): Promise<void> {
    await this.#insist("set", () => this.#connection.set(key, value, ttlSeconds));
  }

  /** @throws CacheUnavailable */
  async delete(key: string): Promise<void> {
    await this.#insist("delete", () => this.#connection.delete(key));
  }

  /** What the cache has, else what `load` gives, kept for the next. Without a cache it is `load` alone. */
  async remembered<Value>(key: string, ttlSeconds: number, load: () => Promise<Value | undefined>): Promise<Value | undefined> {
    const kept = await this.#once("get", () => this.#connection.get(key)).catch(() => null);
    this.#metrics.cachedRead(kept !== null);
    if (kept === gone) return undefined;
    if (kept !== null) return JSON.parse(kept) as Value;
    const value = await load();
    if (value !== undefined) this.#once("set", () => this.#connection.setNew(key, JSON.stringify(value), ttlSeconds)).catch(() => {});
    return value;
  }

  /**
   * Nobody remembers this any more, nor does who has read it before it went, here or on a replica, bring it back.
   * @throws CacheUnavailable
   */
  async forget(key: string, ttlSeconds: number): Promise<void> {
    await this.#insist("set", () => this.#connection.set(key, gone, ttlSeconds));
  }

  /** @throws when a server does not answer. */
  async ping(): Promise<void> {
    await this.#connection.ping();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await withDeadline(this.#connection.close(), attemptTimeoutMs).catch(() => {
      try {
        this.#connection.destroy();
      } catch (error) {
        // Never connected: there is nothing to end.
        this.#log.debug({ code: codeOf(error) }, "the cache was not connected");
      }
    });
  }

  async #once<Result>(operation: string, run: () => Promise<Result>): Promise<Result> {
    try {
      const result = await withDeadline(run(), attemptTimeoutMs);
      this.#metrics.cacheOperations.inc({ operation, result: "ok" });
      return result;
    } catch (error) {
      this.#metrics.cacheOperations.inc({ operation, result: "error" });
      throw error;
    }
  }

  async #insist<Result>(operation: string, run: () => Promise<Result>): Promise<Result> {
    const deadline = Date.now() + retryForMs;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, 200)) {
      try {
        return await this.#once(operation, run);
      } catch (error) {
        if (Date.now() + pauseMs > deadline) throw new CacheUnavailable(error);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }
}

// Fail at once while disconnected: whether to wait is decided above, by what is asked for.
const common = {
  disableOfflineQueue: true,
  socket: { connectTimeout: 2_000, reconnectStrategy: (attempt: number) => Math.min(20 * 2 ** attempt, longestReconnectPauseMs) },
} as const;

function single(url: string, onError: (error: unknown) => void): Connection {
  const client = createClient({ ...common, url, name: "architect-api" });
  client.on("error", onError);
  return {
    // The client itself goes on trying; to connect twice is an error.
    connect: () => client.connect(),
    get: (key) => client.get(key),
    set: (key, value, ttlSeconds) => client.set(key, value, { expiration: { type: "EX", value: ttlSeconds } }),
    setNew: (key, value, ttlSeconds) => client.set(key, value, { expiration: { type: "EX", value: ttlSeconds }, condition: "NX" }),
    delete: (key) => client.del(key),
    ping: async () => void (await client.ping()),
    close: () => client.close(),
    destroy: () => client.destroy(),
  };
}

function cluster({ nodes, password }: Extract<CacheServer, { kind: "cluster" }>, onError: (error: unknown) => void): Connection {
  const client = createCluster({
    rootNodes: nodes.map((node) => ({ url: `redis://${node}` })),
    defaults: { ...common, ...(password === undefined ? {} : { password }) },
  });
  client.on("error", onError);
  client.on("node-error", onError);
  return {
    connect: () => client.connect(),
    get: (key) => client.get(key),
    set: (key, value, ttlSeconds) => client.set(key, value, { expiration: { type: "EX", value: ttlSeconds } }),
    setNew: (key, value, ttlSeconds) => client.set(key, value, { expiration: { type: "EX", value: ttlSeconds }, condition: "NX" }),
    delete: (key) => client.del(key),
    ping: async () => {
      if (client.masters.length === 0) throw new Error("no node of the cluster is known");
      await Promise.all(client.masters.map(async (master) => (await client.nodeClient(master)).ping()));
    },
    close: () => client.close(),
    destroy: () => client.destroy(),
  };
}
