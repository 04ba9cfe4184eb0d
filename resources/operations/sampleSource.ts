import type { ConnectionSettings } from "../../engine/postgres/connection.ts";
import { loadWorkload } from "../../engine/workload/manifest.ts";
import { operationsOf, progressLines } from "../operations.ts";

export interface SampleSourceInputs {
  readonly server: { readonly host: string; readonly port: number; readonly adminPassword: string };
  readonly readerPassword: string;
  readonly workloadFolder: string;
  readonly users: number;
  /** Hash of the schema and the generator. */
  readonly generatorHash: string;
  readonly volumeId: string;
}

export interface SampleSourceOutputs {
  readonly reader: ConnectionSettings;
  readonly sizeBytes: number;
}

// The work is imported when it is done: looking for differences needs none of it.
async function make({ server, readerPassword, workloadFolder, users }: SampleSourceInputs): Promise<SampleSourceOutputs> {
  const { createSampleSource } = await import("../../engine/source/sample.ts");
  const workload = await loadWorkload(workloadFolder);
  const { reader, sizeBytes } = await createSampleSource({ server, readerPassword, workload, users, onProgress: progressLines("source") });
  return { reader, sizeBytes };
}

export const operations = operationsOf<SampleSourceInputs, SampleSourceOutputs>({
  updateOn: ["users", "generatorHash", "volumeId"],
  async create(inputs) {
    return { id: `sample-of-${inputs.users}`, outputs: await make(inputs) };
  },
  update: (_id, _olds, news) => make(news),
});
