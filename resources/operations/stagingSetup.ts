import type { StagingDatabase } from "../../engine/staging/database.ts";
import { loadWorkload } from "../../engine/workload/manifest.ts";
import { operationsOf, progressLines } from "../operations.ts";

export interface StagingSetupInputs {
  readonly staging: StagingDatabase;
  readonly workloadFolder: string;
  readonly stack: string;
  /** Hash of the SQL that is applied. */
  readonly schemaHash: string;
  /** The volume under the server: another one, and all has to be made again. */
  readonly volumeId: string;
}

export interface StagingSetupOutputs {
  readonly systemIdentifier: string;
}

// The work is imported when it is done: looking for differences needs none of it.
async function prepare({ staging, workloadFolder, stack }: StagingSetupInputs): Promise<StagingSetupOutputs> {
  const { prepareStaging } = await import("../../engine/staging/prepare.ts");
  const workload = await loadWorkload(workloadFolder);
  const { systemIdentifier } = await prepareStaging({ staging, workload, stack, onProgress: progressLines("database") });
  return { systemIdentifier };
}

export const operations = operationsOf<StagingSetupInputs, StagingSetupOutputs>({
  updateOn: ["stack", "schemaHash", "volumeId"],
  async create(inputs) {
    return { id: `${inputs.stack}/${inputs.staging.database}`, outputs: await prepare(inputs) };
  },
  update: (_id, _olds, news) => prepare(news),
});
