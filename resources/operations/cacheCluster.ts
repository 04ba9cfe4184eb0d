import type { CacheNode } from "../../engine/cache/node.ts";
import { operationsOf, progressLines } from "../operations.ts";

export interface CacheClusterInputs {
  readonly nodes: readonly CacheNode[];
  readonly password: string;
  /** The volumes of the nodes: with another one, a node has forgotten the others. */
  readonly volumeIds: readonly string[];
}

export interface CacheClusterOutputs {
  /** Whether every node answered and every range of slots took a write. */
  readonly whole: boolean;
}

// The work is imported when it is done: looking for differences needs none of it.
async function ensure({ nodes, password }: CacheClusterInputs): Promise<CacheClusterOutputs> {
  const { ensureCacheCluster } = await import("../../engine/cache/cluster.ts");
  await ensureCacheCluster({ nodes, password, onProgress: progressLines("cache") });
  return { whole: true };
}

export const operations = operationsOf<CacheClusterInputs, CacheClusterOutputs>({
  updateOn: ["nodes", "password", "volumeIds"],
  stale: ({ whole }) => !whole,
  async create(inputs) {
    return { id: "cache-cluster", outputs: await ensure(inputs) };
  },
  update: (_id, _olds, news) => ensure(news),
  async read(_id, { nodes, password }) {
    const { readCacheCluster } = await import("../../engine/cache/state.ts");
    return readCacheCluster({ nodes, password }).then(
      ({ problems }) => ({ whole: problems.length === 0 }),
      () => ({ whole: false }),
    );
  },
});
