import { messageOf } from "../engine/errors.ts";
import { replicaConnectionsOf } from "../engine/staging/database.ts";
import type { ValidationTarget } from "../engine/validation/target.ts";

/** What a stack has beyond one of each, as it is at this moment. */
export interface TopologyPart {
  readonly part: "read replica" | "cache cluster";
  readonly ok: boolean;
  /** For a person: how far behind, or what is wrong. */
  readonly detail: string;
}

/** A healthy replica is no further behind than this while it is looked at. */
const maxLagBytes = 1024 ** 2;

/** Looks at the replica and the cluster; nothing is loaded for a stack that has neither. */
export async function topologyOf({ staging, redis }: Pick<ValidationTarget, "staging" | "redis">): Promise<TopologyPart[]> {
  const parts = await Promise.all([staging.replica === undefined ? undefined : replicaPart(staging), redis.nodes === undefined ? undefined : clusterPart(redis)]);
  return parts.filter((part) => part !== undefined);
}

async function replicaPart(staging: ValidationTarget["staging"]): Promise<TopologyPart> {
  const part = "read replica";
  const [settings] = replicaConnectionsOf(staging, "admin", "postgres");
  if (settings === undefined) return { part, ok: false, detail: "there is none" };
  const [{ withSession }, { readStandby, standbyProblem }] = await Promise.all([import("../engine/postgres/session.ts"), import("../engine/postgres/replication.ts")]);
  return withSession(settings, { applicationName: "understudy status", statementTimeoutMs: 2_000, connectTimeoutMs: 2_000 }, readStandby).then(
    (state) => {
      const problem = standbyProblem(state, maxLagBytes);
      return { part, ok: problem === undefined, detail: problem ?? `follows the primary, ${state.lagBytes} bytes behind` };
    },
    (error: unknown) => ({ part, ok: false, detail: messageOf(error) }),
  );
}

async function clusterPart({ nodes = [], password }: ValidationTarget["redis"]): Promise<TopologyPart> {
  const part = "cache cluster";
  const { readCacheCluster } = await import("../engine/cache/state.ts");
  return readCacheCluster({ nodes, password }).then(
    ({ problems }) => ({ part, ok: problems.length === 0, detail: problems.length === 0 ? `${nodes.length} nodes, all slots served` : problems.join("; ") }),
    (error: unknown) => ({ part, ok: false, detail: messageOf(error) }),
  );
}
