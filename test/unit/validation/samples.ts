import type { CheckContext, ValidationCheck } from "../../../engine/validation/check.ts";
import { passed } from "../../../engine/validation/outcome.ts";

export function sampleCheck(over: Partial<ValidationCheck> = {}): ValidationCheck {
  return {
    id: "infrastructure.sample",
    category: "infrastructure",
    title: "Something holds",
    severity: "error",
    quick: false,
    run: () => Promise.resolve(passed("it holds")),
    ...over,
  };
}

/** Enough of a context for checks that look at nothing but the signal. */
export const contextOf = (signal: AbortSignal) => ({ signal }) as CheckContext;
