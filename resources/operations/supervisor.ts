import { rm } from "node:fs/promises";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { layoutOf } from "../../engine/process/layout.ts";
import { isSupervisorUp, startSupervisor, stopSupervisor } from "../../engine/process/supervisor.ts";
import { operationsOf } from "../operations.ts";

export interface SupervisorInputs {
  readonly stackId: string;
}

export interface SupervisorOutputs {
  readonly running: boolean;
}

export const operations = operationsOf<SupervisorInputs, SupervisorOutputs>({
  replaceOn: ["stackId"],
  updateOn: [],
  stale: ({ running }) => !running,
  async create({ stackId }) {
    await startSupervisor(layoutOf(stackId));
    return { id: stackId, outputs: { running: true } };
  },
  async read(_id, { stackId }) {
    return { running: await isSupervisorUp(layoutOf(stackId)) };
  },
  async delete(_id, { stackId }) {
    const layout = layoutOf(stackId);
    const left = await stopSupervisor(layout);
    if (left.length > 0) {
      throw new UnderstudyError(`${left.length} process(es) would not end: ${left.map(({ pid, command }) => `${pid} ${command}`).join("; ")}.`, {
        exitCode: exitCode.leftBehind,
        remedy: "Run destroy again.",
      });
    }
    await rm(layout.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  },
});
