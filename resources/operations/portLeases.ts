import { describeConflicts, portConflicts, readLeases, releaseLeases, takeLeases } from "../../engine/process/leases.ts";
import { operationsOf } from "../operations.ts";

export interface PortLeasesInputs {
  readonly stackId: string;
  readonly ports: Readonly<Record<string, number>>;
}

export const operations = operationsOf<PortLeasesInputs, object>({
  updateOn: ["ports"],
  replaceOn: ["stackId"],
  async check(_olds, { stackId, ports }) {
    const conflicts = await portConflicts(stackId, ports);
    return conflicts.length === 0
      ? []
      : [`${describeConflicts(conflicts)}. Nothing was made. Free it, or choose other ports: --port-offset N or auto. (exit 3)`];
  },
  async create({ stackId, ports }) {
    await takeLeases(stackId, ports);
    return { id: stackId, outputs: {} };
  },
  async read(_id, { stackId, ports }) {
    const held = new Set((await readLeases()).filter((lease) => lease.stack === stackId).map((lease) => lease.port));
    return Object.values(ports).every((port) => held.has(port)) ? {} : undefined;
  },
  async delete(_id, { stackId }) {
    await releaseLeases(stackId);
  },
});
