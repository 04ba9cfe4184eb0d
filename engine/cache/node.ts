import { createClient } from "redis";

/** One server of a Redis cluster. */
export interface CacheNode {
  readonly host: string;
  readonly port: number;
  /** Where the other nodes reach it. */
  readonly busPort: number;
}

/** Slots from the first to the last, both included. */
export type SlotRange = readonly [first: number, last: number];

/** Redis' own number of slots, fixed by the protocol. */
export const slotCount = 16_384;

/** After so long without a word the others take a node for failed; one that is killed is back before. */
export const nodeTimeoutMs = 5_000;

/** A line of CLUSTER NODES. */
export interface KnownNode {
  readonly id: string;
  readonly port: number;
  readonly flags: readonly string[];
  readonly connected: boolean;
  readonly slots: readonly SlotRange[];
}

/** A connection to one node, for commands about the cluster. */
export interface NodeConnection {
  readonly node: CacheNode;
  command(...args: readonly string[]): Promise<unknown>;
}

export interface CacheClusterSettings {
  readonly nodes: readonly CacheNode[];
  readonly password: string;
}

/**
 * Runs `use` with a connection to every node, and closes them.
 * @throws what the first unreachable node says.
 */
export async function withNodes<Result>(
  { nodes, password }: CacheClusterSettings,
  use: (connections: readonly NodeConnection[]) => Promise<Result>,
  connectTimeoutMs = 2_000,
): Promise<Result> {
  const clients = nodes.map(({ host, port }) => {
    const client = createClient({ password, socket: { host, port, connectTimeout: connectTimeoutMs, socketTimeout: 10_000, reconnectStrategy: false }, disableOfflineQueue: true });
    client.on("error", () => {});
    return client;
  });
  try {
    await Promise.all(
      clients.map((client, index) =>
        client.connect().catch((cause: unknown) => {
          const { host, port } = nodes[index] ?? {};
          throw new Error(`node ${host}:${port}: ${cause instanceof Error && cause.message !== "" ? cause.message : "connection refused"}`, { cause });
        }),
      ),
    );
    return await use(nodes.map((node, index) => ({ node, command: async (...args) => clients[index]?.sendCommand([...args]) })));
  } finally {
    for (const client of clients) if (client.isOpen) client.destroy();
  }
}

/** What a node knows of the others. */
export async function knownNodes({ command }: Pick<NodeConnection, "command">): Promise<KnownNode[]> {
  return parseNodes(String(await command("CLUSTER", "NODES")));
}

/** `<id> <host:port@bus[,name]> <flags> <primary> <ping> <pong> <epoch> <link> <slot> …`, slots in migration in brackets. */
export function parseNodes(text: string): KnownNode[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [id = "", address = "", flags = "", , , , , link = "", ...slots] = line.trim().split(" ");
      return {
        id,
        port: Number(/:(\d+)@/.exec(address)?.[1]),
        flags: flags.split(","),
        connected: link === "connected",
        slots: slots.filter((slot) => !slot.startsWith("[")).map((slot): SlotRange => {
          const [first = "", last = first] = slot.split("-");
          return [Number(first), Number(last)];
        }),
      };
    });
}

/** `cluster_state:ok` and its neighbours as a record. */
export async function clusterInfo({ command }: Pick<NodeConnection, "command">): Promise<Readonly<Record<string, string>>> {
  const lines = String(await command("CLUSTER", "INFO")).split("\r\n");
  return Object.fromEntries(lines.filter((line) => line.includes(":")).map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
}
