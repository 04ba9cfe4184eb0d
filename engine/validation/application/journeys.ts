import type { Journey } from "../../load/plan.ts";
import type { JourneyOutcome } from "../../load/smoke.ts";
import type { CheckContext, ValidationCheck } from "../check.ts";
import { verdict } from "../outcome.ts";

/** A journey of the workload's load plan, and how it is made once in a run of validation. */
export interface JourneyMaker {
  readonly journey: Journey;
  make(context: CheckContext): Promise<JourneyOutcome>;
}

/** One check for each journey: what people do, from the first request to the last. */
export function journeyChecks(makers: readonly JourneyMaker[]): ValidationCheck[] {
  return makers.map(({ journey, make }) => ({
    id: `application.journey-${journey.name}`,
    category: "application",
    title: journey.title,
    severity: "error",
    quick: false,
    timeoutMs: 15_000,
    run: async (context) => {
      const { problem, evidence, steps } = await make(context);
      return verdict(problem === undefined ? [] : [problem], {
        count: steps.length,
        evidence,
        remedy: "See the application's log at the time of this run; the journey is in the workload's load plan.",
        details: { requests: steps },
      });
    },
  }));
}
