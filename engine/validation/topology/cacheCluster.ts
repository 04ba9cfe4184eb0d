import { readCacheCluster } from "../../cache/state.ts";
import type { ValidationCheck } from "../check.ts";
import { verdict } from "../outcome.ts";

export const cacheClusterWhole: ValidationCheck = {
  id: "infrastructure.cache-cluster",
  category: "infrastructure",
  title: "The Redis cluster is whole, and every range of slots takes a write",
  severity: "error",
  quick: true,
  timeoutMs: 15_000,
  eventualMs: 5_000,
  run: async ({ target }) => {
    const { nodes: members = [], password } = target.redis;
    const { problems, nodes } = await readCacheCluster({ nodes: members, password });
    const unsaved = nodes.filter(({ appendOnly }) => !appendOnly).map(({ port }) => `node ${port} keeps no append-only file`);
    return verdict([...problems, ...unsaved], {
      count: nodes.length,
      evidence: nodes.map(({ port, slots }) => `node ${port}: slots ${slots.map(([first, last]) => `${first} to ${last}`).join(", ")}`).join("; "),
      remedy: "See understudy logs cache (cache-2, cache-3); understudy up mends the cluster.",
      details: { nodes },
    });
  },
};
