import { randomBytes } from "node:crypto";
import type { FastifyBaseLogger } from "fastify";
import { CacheClient, type CacheClientOptions, type CacheCommands } from "../../shared/cacheClient.ts";
import { codeOf } from "../../shared/connectionLoss.ts";
import type { Metrics } from "./metrics.ts";

/** The cache cannot be reached; nothing was read or written. */
export class CacheUnavailable extends Error {
  readonly code: string;

  constructor(cause: unknown) {
    super("the cache does not answer", { cause });
    this.name = "CacheUnavailable";
    this.code = codeOf(cause);
  }
}

/** The app's sessions, with a deadline for each operation. */
export class Cache {
  readonly #client: CacheClient;
  readonly #metrics: Metrics;

  constructor(options: Omit<CacheClientOptions, "name"> & { readonly metrics: Metrics; readonly log: FastifyBaseLogger }) {
    const { metrics, log, ...client } = options;
    this.#metrics = metrics;
    let wasReady = true;
    this.#client = new CacheClient(
      { ...client, name: "stories-app" },
      {
        error: (error) => {
          if (wasReady) log.warn({ code: codeOf(error) }, "the cache connection was lost");
          wasReady = false;
        },
        ready: () => {
          if (!wasReady) log.info("the cache is back");
          wasReady = true;
        },
      },
    );
  }

  /** Starts to connect; does not wait, for the app answers without its cache too. */
  connect(): void {
    this.#client.connect();
  }

  async get(key: string): Promise<string | null> {
    return this.#run("get", (commands) => commands.get(key));
  }

  async set(key: string, value: string, ttlSeconds: number): Promise<void> {
    await this.#run("set", (commands) => commands.set(key, value, { expiration: { type: "EX", value: ttlSeconds } }));
  }

  async delete(key: string): Promise<void> {
    await this.#run("delete", (commands) => commands.del(key));
  }

  /** Writes a value and reads it back. */
  async probe(): Promise<void> {
    const key = `health:${randomBytes(8).toString("hex")}`;
    await this.set(key, key, 5);
    const read = await this.get(key);
    if (read !== key) throw new CacheUnavailable(new Error("what was written was not read back"));
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #run<Result>(operation: string, run: (commands: CacheCommands) => Promise<Result>): Promise<Result> {
    try {
      const result = await this.#client.run(run);
      this.#metrics.cacheOperations.inc({ operation, result: "ok" });
      return result;
    } catch (error) {
      this.#metrics.cacheOperations.inc({ operation, result: "error" });
      throw new CacheUnavailable(error);
    }
  }
}
