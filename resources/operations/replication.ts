import type { StagingDatabase } from "../../engine/staging/database.ts";
import { operationsOf } from "../operations.ts";

export interface ReplicationInputs {
  readonly staging: StagingDatabase;
  /** Of the role that streams. */
  readonly password: string;
  readonly slot: string;
  /** The volume under the primary. */
  readonly volumeId: string;
}

export interface ReplicationOutputs {
  /** Names what a replica is copied from; empty when it could not go on from where it is. */
  readonly base: string;
}

// The work is imported when it is done: looking for differences needs none of it.
const load = () => import("../../engine/staging/replication.ts");

export const operations = operationsOf<ReplicationInputs, ReplicationOutputs>({
  replaceOn: ["slot"],
  updateOn: ["password", "volumeId"],
  stale: ({ base }) => base === "",
  async create(inputs) {
    return { id: inputs.slot, outputs: { base: await (await load()).ensureReplication(inputs) } };
  },
  async update(_id, { base }, news) {
    return { base: await (await load()).ensureReplication(news, base) };
  },
  async read(_id, { base, ...inputs }) {
    return { base: (await (await load()).isReplicationWhole(inputs)) ? base : "" };
  },
  async delete(_id, inputs) {
    await (await load()).removeReplication(inputs);
  },
});
