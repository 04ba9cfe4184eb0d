import { exitCode, UnderstudyError } from "../errors.ts";
import { loadMaskingPolicy } from "../masking/policy.ts";
import type { ConnectionSettings } from "../postgres/connection.ts";
import type { Workload } from "../workload/manifest.ts";
import { readCatalog } from "./readCatalog.ts";
import { openSource } from "./sourceSession.ts";
import { resolveTreatments } from "./treatments.ts";

export interface PolicyCheckOptions {
  /** Production; only its catalog is read. */
  readonly source: ConnectionSettings;
  readonly workload: Workload;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Holds the masking policy against the source's catalog without reading a row: what a preview can know of a copy.
 * @returns why the source could not be asked, where it could not: that is not the policy's fault
 * @throws UnderstudyError exit 4 as `resolveTreatments` does, exit 2 when masking.yaml or the source cannot be read.
 */
export async function checkPolicy({ source, workload, signal }: PolicyCheckOptions): Promise<string | undefined> {
  const policy = await loadMaskingPolicy(workload);
  const session = await openSource(source, { keys: new Map(), signal }).catch((error: unknown) => {
    if (error instanceof UnderstudyError && error.exitCode === exitCode.provisioning) return error.message;
    throw error;
  });
  if (typeof session === "string") return session;
  try {
    resolveTreatments(policy, await readCatalog(session.client));
    return undefined;
  } finally {
    await session.close();
  }
}
