import { setTimeout as sleep } from "node:timers/promises";
import { createClient, createCluster } from "redis";
import { withDeadline } from "./deadline.ts";

export interface CacheClientOptions {
  /** `redis://:password@host:port`, of the first node where it is a cluster. */
  readonly url: string;
  /** Nodes of the cluster; none when it is one server. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** How the server lists the connection. */
  readonly name: string;
}

/** The commands that an app may send, of one server and of a cluster alike. */
export type CacheCommands = Pick<ReturnType<typeof createClient>, "get" | "set" | "del" | "incr" | "expire" | "ttl">;
type Client = CacheCommands &
  Pick<ReturnType<typeof createClient>, "isReady" | "isOpen" | "close" | "destroy"> & {
    connect(): Promise<unknown>;
    on(event: "error" | "ready", listener: (error: unknown) => void): unknown;
  };

/** One server: a request must not wait for a cache that may not come back. */
const serverTimeoutMs = 1_500;
/** A node that is killed starts again within 1.5 s, and takes part after two more, as Redis has it (CLUSTER_WRITABLE_DELAY). */
const clusterTimeoutMs = 5_000;
const retryMs = 50;
const longestServerPauseMs = 1_000;
const longestNodePauseMs = 200;

function clientOf({ url, nodes, name }: CacheClientOptions): Client {
  const socket = (longestPauseMs: number) => ({ connectTimeout: 2_000, reconnectStrategy: (attempt: number) => Math.min(50 * 2 ** attempt, longestPauseMs) });
  if (nodes.length === 0) return createClient({ url, name, disableOfflineQueue: true, socket: socket(longestServerPauseMs) });
  return createCluster({
    rootNodes: nodes.map(({ host, port }) => ({ socket: { ...socket(longestNodePauseMs), host, port } })),
    defaults: { password: decodeURIComponent(new URL(url).password), name, disableOfflineQueue: true, socket: socket(longestNodePauseMs) },
  });
}

/** Redis, one server or a cluster, with a deadline for each operation. Reconnects by itself for as long as the app runs. */
export class CacheClient {
  readonly #client: Client;
  readonly #isCluster: boolean;
  #isClosed = false;

  constructor(options: CacheClientOptions, on: { readonly error: (error: unknown) => void; readonly ready: () => void }) {
    this.#client = clientOf(options);
    this.#isCluster = options.nodes.length > 0;
    this.#client.on("error", on.error);
    this.#client.on("ready", on.ready);
  }

  /** Starts to connect; does not wait, for an app answers without its cache too. */
  connect(): void {
    this.#client.connect().catch(() => {
      // One server is tried again by its client; a cluster of which no node answered is not.
      if (!this.#client.isOpen && !this.#isClosed) setTimeout(() => this.connect(), longestServerPauseMs).unref();
    });
  }

  /**
   * Runs one operation. On a cluster it is tried again while a node is away, so it has to be one that may run twice.
   * @throws what the last try said, or DeadlinePassed.
   */
  async run<Result>(operation: (commands: CacheCommands) => Promise<Result>): Promise<Result> {
    if (!this.#isCluster) return withDeadline(operation(this.#client), serverTimeoutMs);
    const deadline = Date.now() + clusterTimeoutMs;
    for (;;) {
      try {
        return await withDeadline(operation(this.#client), deadline - Date.now());
      } catch (error) {
        if (Date.now() + retryMs >= deadline || !this.#client.isOpen) throw error;
        await sleep(retryMs);
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#client.isReady) await withDeadline(this.#client.close(), serverTimeoutMs).catch(() => this.#client.destroy());
    else if (this.#client.isOpen) this.#client.destroy();
  }
}
