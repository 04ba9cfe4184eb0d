import { z } from "zod";

/** `errored`: the check could not run. Neither it nor `skipped` ever counts as passed. */
export const checkStatus = z.enum(["passed", "failed", "skipped", "errored"]);
export const checkSeverity = z.enum(["error", "warning", "info"]);

/** The outcome of one check: what was looked at, what was seen, what to do. */
export const checkResult = z.object({
  /** Stable dotted id: `<category>.<name>`, e.g. `security.tls-version`. */
  id: z.string(),
  category: z.string(),
  title: z.string(),
  severity: checkSeverity,
  status: checkStatus,
  /** What was seen, in words and figures; never a secret, never an original of a masked value. */
  evidence: z.string(),
  /** What to do next; present unless passed. */
  remedy: z.string().optional(),
  durationMs: z.number().nonnegative(),
  /** Structured evidence for the HTML page. */
  details: z.record(z.string(), z.unknown()).optional(),
});
export type CheckResult = z.infer<typeof checkResult>;
export type CheckStatus = z.infer<typeof checkStatus>;

export interface CheckTotals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly errored: number;
  readonly warnings: number;
}

/** Counts by status; a failed check of severity `warning` or `info` counts under `warnings`, not `failed`. */
export function totalsOf(checks: readonly CheckResult[]): CheckTotals {
  const count = (predicate: (check: CheckResult) => boolean) => checks.filter(predicate).length;
  return {
    passed: count((check) => check.status === "passed"),
    failed: count((check) => check.status === "failed" && check.severity === "error"),
    skipped: count((check) => check.status === "skipped"),
    errored: count((check) => check.status === "errored"),
    warnings: count((check) => check.status === "failed" && check.severity !== "error"),
  };
}

/** Green: something passed, and nothing failed or could not run. */
export function isGreen(checks: readonly CheckResult[]): boolean {
  const totals = totalsOf(checks);
  return totals.passed > 0 && totals.failed === 0 && totals.errored === 0;
}
