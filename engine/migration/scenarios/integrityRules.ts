import { loadIntegrityRules, runIntegrityRules } from "../../integrity/index.ts";
import type { CheckResult } from "../../report/check.ts";
import { noneOf } from "../board.ts";
import type { CheckDefinition, Outcome } from "../board.ts";
import type { RehearsalContext } from "../context.ts";

export const workloadRules: CheckDefinition = {
  id: "integrity.workload-rules",
  title: "Every integrity rule of the workload that held before holds after",
  remedy: "See the rule in the workload's integrity rules; the migration breaks it.",
};

/** The workload's integrity rules on a clone, one result each. */
export async function lookAtRules(context: RehearsalContext, clone: string): Promise<CheckResult[]> {
  const rules = await loadIntegrityRules(context.workload);
  return runIntegrityRules({ connection: context.clones.settings(clone, "owner"), rules, signal: context.signal });
}

/** What the migration broke; what was broken before is said, not blamed on it. */
export function compareRules(before: readonly CheckResult[], after: readonly CheckResult[]): Outcome {
  const was = new Map(before.map((result) => [result.id, result.status]));
  const broken = after.filter(({ id, status }) => (status === "failed" || status === "errored") && was.get(id) !== status);
  const already = after.filter(({ id, status }) => status !== "passed" && was.get(id) === status).map(({ id, status }) => `${id} (${status})`);
  const calm = `${after.filter(({ status }) => status === "passed").length} of ${after.length} rules hold${already.length === 0 ? "" : `; as before, not: ${already.join(", ")}`}.`;
  return noneOf(broken.map(({ title, evidence }) => `${title}: ${evidence}`), calm);
}
