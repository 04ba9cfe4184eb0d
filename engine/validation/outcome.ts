/** What a check says of one run. A check that throws could not run: it is errored, never passed. */
export interface Outcome {
  readonly status: "passed" | "failed" | "skipped";
  /** What was seen, in words and figures. */
  readonly evidence: string;
  /** When what was seen weighs otherwise than the check's own. */
  readonly severity?: "error" | "warning" | "info";
  /** What to do; always there unless passed. */
  readonly remedy?: string;
  /** Structured evidence for the page. */
  readonly details?: Readonly<Record<string, unknown>>;
}

type Details = Readonly<Record<string, unknown>>;

export function passed(evidence: string, details?: Details): Outcome {
  return { status: "passed", evidence, ...(details === undefined ? {} : { details }) };
}

export function failed(evidence: string, remedy: string, details?: Details): Outcome {
  return { status: "failed", evidence, remedy, ...(details === undefined ? {} : { details }) };
}

/** What was asked for does not apply here; `remedy` says how it would. */
export function skipped(evidence: string, remedy: string): Outcome {
  return { status: "skipped", evidence, remedy };
}

/**
 * The usual end of a check that looks at several things: failed with every problem named, or passed.
 * Looking at nothing is no pass: it throws.
 */
export function verdict(
  problems: readonly string[],
  looked: { readonly count: number; readonly evidence: string; readonly remedy: string; readonly details?: Details },
): Outcome {
  if (looked.count === 0) throw new Error("there was nothing to look at");
  if (problems.length === 0) return passed(looked.evidence, looked.details);
  return failed(listed(problems), looked.remedy, looked.details);
}

const mostListed = 12;

/** Problems as lines, the first dozen of them. */
export function listed(problems: readonly string[]): string {
  const shown = problems.slice(0, mostListed);
  return [...shown, ...(problems.length > mostListed ? [`and ${problems.length - mostListed} more`] : [])].join("\n");
}
