import { randomUUID } from "node:crypto";
import { clusterInfo, knownNodes, slotCount, withNodes, type CacheClusterSettings, type NodeConnection, type SlotRange } from "./node.ts";

/** A cluster as one look sees it. */
export interface CacheClusterState {
  /** What is wrong, a line each; none: the cluster is whole. */
  readonly problems: readonly string[];
  /** By node: its slots, and whether each write goes to its append-only file. */
  readonly nodes: readonly { readonly host: string; readonly port: number; readonly slots: readonly SlotRange[]; readonly appendOnly: boolean }[];
}

/**
 * Looks whether every node answers, finds the cluster in order, knows the same nodes, all slots are served,
 * and a key of every range can be written, read and deleted.
 * @throws when a node cannot be reached.
 */
export async function readCacheCluster(settings: CacheClusterSettings): Promise<CacheClusterState> {
  return withNodes(settings, async (connections) => {
    const seen = await Promise.all(connections.map((connection) => lookFrom(connection, connections.length)));
    const nodes = seen.map(({ node, slots, appendOnly }) => ({ host: node.host, port: node.port, slots, appendOnly }));
    const served = nodes.flatMap(({ slots }) => slots).reduce((sum, [first, last]) => sum + last - first + 1, 0);
    const problems = [...seen.flatMap(({ problems }) => problems), ...(served === slotCount ? [] : [`${served} of ${slotCount} slots are served`])];
    return { nodes, problems: problems.length > 0 ? problems : await writeToEveryRange(connections, nodes) };
  });
}

async function lookFrom(connection: NodeConnection, expected: number) {
  const { node, command } = connection;
  const [info, known, persistence] = [await clusterInfo(connection), await knownNodes(connection), String(await command("INFO", "persistence"))];
  const where = `node ${node.port}`;
  const failing = known.filter(({ flags }) => flags.some((flag) => flag.startsWith("fail")));
  const problems = [
    ...(info["cluster_state"] === "ok" ? [] : [`${where} finds the cluster in state ${info["cluster_state"]}`]),
    ...(known.length === expected ? [] : [`${where} knows ${known.length} nodes, not ${expected}`]),
    ...failing.map(({ port }) => `${where} takes node ${port} for failed`),
    ...(/aof_last_write_status:ok/.test(persistence) ? [] : [`${where} cannot write its append-only file`]),
  ];
  const slots = known.find(({ flags }) => flags.includes("myself"))?.slots ?? [];
  return { node, slots, problems, appendOnly: /aof_enabled:1/.test(persistence) };
}

async function writeToEveryRange(connections: readonly NodeConnection[], nodes: CacheClusterState["nodes"]): Promise<string[]> {
  const problems = await Promise.all(
    nodes.flatMap(({ slots }, index) =>
      slots.map(async ([first, last]) => {
        const connection = connections[index];
        if (connection === undefined) return [];
        const key = await keyIn(connection, first, last);
        const written = await connection.command("SET", key, "written", "EX", "60");
        const read = await connection.command("GET", key);
        const deleted = await connection.command("DEL", key);
        return written === "OK" && read === "written" && deleted === 1 ? [] : [`slots ${first} to ${last}: a key written reads back as ${String(read)}`];
      }),
    ),
  );
  return problems.flat();
}

const mostTries = 100_000;

/** A key whose slot lies in a range, by the server's own hash. */
async function keyIn({ command }: NodeConnection, first: number, last: number): Promise<string> {
  for (let tried = 0; tried < mostTries; tried += 1) {
    const key = `understudy:health:${randomUUID()}`;
    const slot = Number(await command("CLUSTER", "KEYSLOT", key));
    if (slot >= first && slot <= last) return key;
  }
  throw new Error(`no key found for slots ${first} to ${last}`);
}
