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

/** What a look at the masking policy found: `unreachable` says why the source could not be asked. */
export type PolicyVerdict = { readonly unreachable: string } | { readonly problems: readonly string[] };

/**
 * Holds the masking policy against the source's catalog without reading a row: what a preview can know of a copy.
 * @throws UnderstudyError (exit 2) when masking.yaml cannot be read.
 */
export async function checkPolicy({ source, workload, signal }: PolicyCheckOptions): Promise<PolicyVerdict> {
  const policy = await loadMaskingPolicy(workload);
  try {
    const session = await openSource(source, { keys: new Map(), signal });
    try {
      resolveTreatments(policy, await readCatalog(session.client));
      return { problems: [] };
    } finally {
      await session.close();
    }
  } catch (error) {
    if (!(error instanceof UnderstudyError)) throw error;
    return error.exitCode === exitCode.provisioning ? { unreachable: error.message } : { problems: [error.line] };
  }
}
