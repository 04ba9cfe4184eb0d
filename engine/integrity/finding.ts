import type { CheckResult } from "../report/check.ts";

/** What a check saw. A check that throws could not run. */
export interface Finding {
  readonly status: "passed" | "failed" | "skipped";
  readonly evidence: string;
  /** When it differs from the definition's. */
  readonly severity?: CheckResult["severity"];
  readonly details?: Record<string, unknown>;
}

/** This many examples are named in the evidence, and counted beyond. */
export const namedExamples = 5;

/** `a, b, c and 12 more`. */
export function nameSome(examples: readonly string[], total: number = examples.length): string {
  const named = examples.slice(0, namedExamples);
  const more = total - named.length;
  return more > 0 ? `${named.join(", ")} and ${more} more` : named.join(", ");
}

/** `1 row`, `2 rows`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}
