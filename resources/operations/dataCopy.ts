import { randomUUID } from "node:crypto";
import type { SourceBounds } from "../../engine/copy/sourceBounds.ts";
import type { ConnectionSettings } from "../../engine/postgres/connection.ts";
import type { StagingDatabase } from "../../engine/staging/database.ts";
import { loadWorkload } from "../../engine/workload/manifest.ts";
import { failUnlessGreen, operationsOf, progressLines } from "../operations.ts";

export interface DataCopyInputs {
  readonly source: ConnectionSettings;
  readonly staging: StagingDatabase;
  readonly workloadFolder: string;
  readonly stack: string;
  readonly maskingKey: string;
  readonly limit: number;
  readonly allowWritableSource: boolean;
  readonly sourceBounds: SourceBounds;
  readonly reportsFolder: string;
  /** Hash of the masking policy and the subset rules. */
  readonly policyHash: string;
  /** What the source is: another one is copied again. */
  readonly sourceIdentity: string;
  /** The volume that holds staging. */
  readonly volumeId: string;
  readonly revision: number;
}

export interface DataCopyOutputs {
  /** Another one for every copy; what was proved on the last one has to be proved again. */
  readonly copyId: string;
  readonly reportJson: string;
  readonly reportHtml: string;
}

// The work is imported when it is done: looking for differences needs none of it.
async function copy(inputs: DataCopyInputs): Promise<DataCopyOutputs> {
  const { copyData } = await import("../../engine/copy/copy.ts");
  const workload = await loadWorkload(inputs.workloadFolder);
  const { report, files } = await copyData({ ...inputs, workload, onProgress: progressLines("data copy") });
  failUnlessGreen("The data copy", report, files);
  return { copyId: randomUUID(), reportJson: files.json, reportHtml: files.html };
}

/**
 * A column without a rule stops the preview, not only the copy. Where the source is not made yet, or not to be reached from
 * here (a pull request's CI), there is nothing to hold the policy against: the copy itself does it.
 */
async function check(_olds: Partial<DataCopyInputs>, { source, workloadFolder }: DataCopyInputs): Promise<readonly string[]> {
  if (typeof source !== "object" || typeof source.password !== "string") return [];
  const { checkPolicy } = await import("../../engine/copy/policyCheck.ts");
  const unreachable = await checkPolicy({ source, workload: await loadWorkload(workloadFolder) });
  if (unreachable !== undefined) console.log(`data copy: masking.yaml was not held against the source: ${unreachable}`);
  return [];
}

export const operations = operationsOf<DataCopyInputs, DataCopyOutputs>({
  check,
  updateOn: ["limit", "policyHash", "sourceIdentity", "volumeId", "revision", "allowWritableSource", "maskingKey"],
  async create(inputs) {
    return { id: `${inputs.stack}/copy`, outputs: await copy(inputs) };
  },
  update: (_id, _olds, news) => copy(news),
});
