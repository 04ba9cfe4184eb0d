import type { StagingDatabase } from "../../engine/staging/database.ts";
import { operationsOf, progressLines } from "../operations.ts";

export interface BackupInputs {
  readonly staging: StagingDatabase;
  readonly stack: string;
  readonly folder: string;
  readonly keepHours: number;
  /** What is about to overwrite the database: a backup is made whenever it changes. */
  readonly before: string;
}

export interface BackupOutputs {
  readonly file: string;
  readonly sha256: string;
}

// The work is imported when it is done: looking for differences needs none of it.
async function make({ staging, stack, folder, keepHours }: BackupInputs): Promise<BackupOutputs> {
  const { backupDatabase, pruneBackups } = await import("../../engine/backup/index.ts");
  const { file, sha256 } = await backupDatabase({ staging, stack, folder, onProgress: progressLines("backup") });
  await pruneBackups({ folder, stack, keepHours, keepAtLeast: 1 });
  return { file, sha256 };
}

export const operations = operationsOf<BackupInputs, BackupOutputs>({
  updateOn: ["before"],
  async create(inputs) {
    return { id: `${inputs.stack}/backup`, outputs: await make(inputs) };
  },
  update: (_id, _olds, news) => make(news),
});
