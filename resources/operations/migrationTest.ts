import type { StagingDatabase } from "../../engine/staging/database.ts";
import { loadWorkload } from "../../engine/workload/manifest.ts";
import { failUnlessGreen, operationsOf, progressLines } from "../operations.ts";

export interface MigrationTestInputs {
  readonly staging: StagingDatabase;
  readonly workloadFolder: string;
  readonly stack: string;
  readonly reportsFolder: string;
  readonly backupFile: string;
  /** Rows to extrapolate to. */
  readonly targetRows?: number;
  /** Hash of the migrations and what is expected of them. */
  readonly migrationsHash: string;
  readonly copyId: string;
  readonly revision: number;
}

export interface MigrationTestOutputs {
  readonly reportJson: string;
  readonly reportHtml: string;
}

// The work is imported when it is done: looking for differences needs none of it.
async function rehearse(inputs: MigrationTestInputs): Promise<MigrationTestOutputs> {
  const { rehearseMigrations } = await import("../../engine/migration/rehearse.ts");
  const workload = await loadWorkload(inputs.workloadFolder);
  const { report, files } = await rehearseMigrations({ ...inputs, workload, onProgress: progressLines("migration rehearsal") });
  failUnlessGreen("The migration rehearsal", report, files);
  return { reportJson: files.json, reportHtml: files.html };
}

export const operations = operationsOf<MigrationTestInputs, MigrationTestOutputs>({
  updateOn: ["migrationsHash", "copyId", "revision", "targetRows"],
  async create(inputs) {
    return { id: `${inputs.stack}/migration-test`, outputs: await rehearse(inputs) };
  },
  update: (_id, _olds, news) => rehearse(news),
});
