import { chmod, mkdir, rm, stat } from "node:fs/promises";
import { layoutOf } from "../../engine/process/layout.ts";
import { operationsOf } from "../operations.ts";

export interface StackFolderInputs {
  readonly stackId: string;
}

export const operations = operationsOf<StackFolderInputs, object>({
  replaceOn: ["stackId"],
  updateOn: [],
  async create({ stackId }) {
    const { folder } = layoutOf(stackId);
    await mkdir(folder, { recursive: true });
    await chmod(folder, 0o700);
    return { id: stackId, outputs: {} };
  },
  async read(_id, { stackId }) {
    return stat(layoutOf(stackId).folder).then(
      () => ({}),
      () => undefined,
    );
  },
  async delete(_id, { stackId }) {
    await rm(layoutOf(stackId).folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  },
});
