import { messageOf } from "../errors.ts";
import type { CheckResult } from "../report/check.ts";

export interface Finding {
  readonly holds: boolean;
  readonly evidence: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface CheckDefinition {
  /** `copy.<name>`. */
  readonly id: string;
  readonly title: string;
  readonly remedy: string;
  readonly severity?: "error" | "warning";
}

/** Runs one check of the copy; one that cannot run is errored, never passed. */
export async function runCheck(definition: CheckDefinition, look: () => Promise<Finding>): Promise<CheckResult> {
  const { id, title, remedy, severity = "error" } = definition;
  const started = performance.now();
  const result = (status: CheckResult["status"], evidence: string, details?: Finding["details"]): CheckResult => ({
    id,
    category: "copy",
    title,
    severity,
    status,
    evidence,
    ...(status === "passed" ? {} : { remedy }),
    durationMs: performance.now() - started,
    ...(details === undefined ? {} : { details }),
  });
  try {
    const { holds, evidence, details } = await look();
    return result(holds ? "passed" : "failed", evidence, details);
  } catch (error) {
    return result("errored", messageOf(error));
  }
}
