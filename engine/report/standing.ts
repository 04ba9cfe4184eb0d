import type { CheckResult } from "./check.ts";

/** How a check is shown: its status, with a failed check that does not block told apart as a warning. */
export type Standing = "failed" | "errored" | "warning" | "skipped" | "passed";

/** Worst first: the order in which a person should read. */
export const standings: readonly Standing[] = ["failed", "errored", "warning", "skipped", "passed"];

export const standingLabel: Readonly<Record<Standing, string>> = {
  failed: "Failed",
  errored: "Could not run",
  warning: "Warning",
  skipped: "Skipped",
  passed: "Passed",
};

export function standingOf(check: CheckResult): Standing {
  if (check.status === "failed") return check.severity === "error" ? "failed" : "warning";
  return check.status;
}

/** Checks worst first, otherwise in the order given. */
export function worstFirst(checks: readonly CheckResult[]): CheckResult[] {
  return standings.flatMap((standing) => checks.filter((check) => standingOf(check) === standing));
}

/** Checks by category, categories in order of first appearance. */
export function byCategory(checks: readonly CheckResult[]): ReadonlyMap<string, readonly CheckResult[]> {
  return Map.groupBy(checks, (check) => check.category);
}

/** `3 failed, 1 could not run, 2 warnings, 40 passed`; what is zero is left out. */
export function describeTotals(checks: readonly CheckResult[]): string {
  const words: Readonly<Record<Standing, (count: number) => string>> = {
    failed: (count) => `${count} failed`,
    errored: (count) => `${count} could not run`,
    warning: (count) => `${count} ${count === 1 ? "warning" : "warnings"}`,
    skipped: (count) => `${count} skipped`,
    passed: (count) => `${count} passed`,
  };
  const parts = standings.flatMap((standing) => {
    const count = checks.filter((check) => standingOf(check) === standing).length;
    return count === 0 ? [] : [words[standing](count)];
  });
  return parts.length === 0 ? "no checks" : parts.join(", ");
}
