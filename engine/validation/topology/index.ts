import type { ValidationCheck } from "../check.ts";
import type { ValidationTarget } from "../target.ts";
import { appInstancesAnswer } from "./appInstances.ts";
import { cacheClusterWhole } from "./cacheCluster.ts";
import { poolReachesPrimary, poolRefusesWrongPassword } from "./pool.ts";
import { replicaFollows, replicaReadOnly } from "./replica.ts";
import { scheduledBackupFresh } from "./scheduledBackup.ts";

/** What of the larger topology a stack may have. */
export type Topology = Pick<ValidationTarget, "staging" | "redis" | "appInstances" | "pool" | "scheduledBackup">;

/** Checks of what this stack has beyond one of each. */
export function topologyChecks({ staging, redis, appInstances = [], pool, scheduledBackup }: Topology): ValidationCheck[] {
  return [
    ...(staging.replica === undefined ? [] : [replicaFollows, replicaReadOnly]),
    ...(redis.nodes === undefined ? [] : [cacheClusterWhole]),
    ...(appInstances.length < 2 ? [] : [appInstancesAnswer]),
    ...(pool === undefined ? [] : [poolReachesPrimary, poolRefusesWrongPassword]),
    ...(scheduledBackup === undefined ? [] : [scheduledBackupFresh]),
  ];
}
