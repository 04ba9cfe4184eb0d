import { setTimeout as sleep } from "node:timers/promises";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { silent, type OnProgress } from "../progress.ts";
import { knownNodes, nodeTimeoutMs, slotCount, withNodes, type CacheClusterSettings, type KnownNode, type NodeConnection, type SlotRange } from "./node.ts";
import { readCacheCluster } from "./state.ts";

export interface EnsureCacheCluster extends CacheClusterSettings {
  /** Default 30,000. */
  readonly timeoutMs?: number;
  readonly onProgress?: OnProgress;
}

/**
 * Makes one cluster of the nodes, or mends it: nodes that are gone for good are forgotten, new ones are met, slots that nobody
 * serves are shared out. What is right is left alone, so it may be called at any time.
 * @throws UnderstudyError (exit 3) when the cluster is not whole in time, with what is wrong.
 */
export async function ensureCacheCluster(options: EnsureCacheCluster): Promise<void> {
  const { timeoutMs = 30_000, onProgress = silent } = options;
  const deadline = Date.now() + timeoutMs;
  let problems = await problemsOf(options);
  if (problems.length === 0) return;
  try {
    while (problems.length > 0 && Date.now() < deadline) {
      await withNodes(options, mend).catch((error: unknown) => onProgress({ step: "cluster", message: messageOf(error) }));
      await sleep(100);
      problems = await problemsOf(options);
    }
  } finally {
    await withNodes(options, (connections) => setNodeTimeout(connections, nodeTimeoutMs)).catch(() => {});
  }
  if (problems.length === 0) return;
  throw new UnderstudyError(`The Redis cluster is not whole within ${Math.round(timeoutMs / 1_000)} s: ${problems.join("; ")}.`, {
    exitCode: exitCode.provisioning,
    remedy: "See the nodes' logs: understudy logs cache (cache-2, cache-3).",
  });
}

async function problemsOf(settings: CacheClusterSettings): Promise<readonly string[]> {
  return readCacheCluster(settings).then(
    (state) => state.problems,
    (error: unknown) => [messageOf(error)],
  );
}

/** Nodes tell each other what is new at a pace that follows from their timeout: while there is much to tell, a shorter one. */
const mendingTimeoutMs = 500;

async function setNodeTimeout(connections: readonly NodeConnection[], timeoutMs: number): Promise<void> {
  await Promise.all(connections.map(({ command }) => command("CONFIG", "SET", "cluster-node-timeout", String(timeoutMs))));
}

/** One round: what it does is seen in the next. */
async function mend(connections: readonly NodeConnection[]): Promise<void> {
  await setNodeTimeout(connections, mendingTimeoutMs);
  const ids = await Promise.all(connections.map(async ({ command }) => String(await command("CLUSTER", "MYID"))));
  const views = await Promise.all(connections.map(knownNodes));
  await Promise.all(connections.map((connection, index) => forgetStrangers(connection, views[index] ?? [], ids)));
  if (await meetEveryone(connections, views, ids)) return;
  await shareOutSlots(connections, views);
}

const isHandshake = ({ flags }: KnownNode): boolean => flags.includes("handshake");

/** A node that came back without its data has another id; its old one would hold slots for ever. */
async function forgetStrangers({ command }: NodeConnection, view: readonly KnownNode[], ids: readonly string[]): Promise<void> {
  for (const known of view.filter((one) => !ids.includes(one.id) && !isHandshake(one))) await command("CLUSTER", "FORGET", known.id);
}

/** @returns whether somebody had to be introduced: then the rest waits for the next round. */
async function meetEveryone(connections: readonly NodeConnection[], views: readonly (readonly KnownNode[])[], ids: readonly string[]): Promise<boolean> {
  let introduced = false;
  for (const [index, { command }] of connections.entries()) {
    for (const [other, { node }] of connections.entries()) {
      const view = views[index] ?? [];
      const isKnown = index === other || view.some(({ id, connected }) => id === ids[other] && connected);
      if (isKnown) continue;
      introduced = true;
      const isUnderWay = view.some((known) => isHandshake(known) && known.port === node.port);
      if (!isUnderWay) await command("CLUSTER", "MEET", node.host, String(node.port), String(node.busPort));
    }
  }
  return introduced;
}

/** Slots that no node has go to the node whose share they are. */
async function shareOutSlots(connections: readonly NodeConnection[], views: readonly (readonly KnownNode[])[]): Promise<void> {
  const taken = views.flatMap((view) => view.find(({ flags }) => flags.includes("myself"))?.slots ?? []);
  for (const [index, [first, last]] of sharesOf(connections.length).entries()) {
    const free = without([first, last], taken);
    if (free.length > 0) await connections[index]?.command("CLUSTER", "ADDSLOTSRANGE", ...free.flat().map(String));
  }
}

/** All slots in so many equal ranges, as redis-cli shares them out: 0-5460, 5461-10922, 10923-16383 for three. */
export function sharesOf(count: number): SlotRange[] {
  const end = (index: number) => Math.round((slotCount * (index + 1)) / count - 1);
  return Array.from({ length: count }, (_, index): SlotRange => [index === 0 ? 0 : end(index - 1) + 1, end(index)]);
}

/** What of a range is in none of the taken ones. */
export function without([first, last]: SlotRange, taken: readonly SlotRange[]): SlotRange[] {
  const free: SlotRange[] = [];
  let next = first;
  for (const [from, to] of taken.filter(([from, to]) => from <= last && to >= first).toSorted(([left], [right]) => left - right)) {
    if (from > next) free.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  if (next <= last) free.push([next, last]);
  return free;
}
