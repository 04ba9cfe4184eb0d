import type { CheckResult } from "../report/check.ts";
import type { LoadClient } from "./client.ts";
import { runJourney, type Sample } from "./journey.ts";
import type { Journey } from "./plan.ts";
import { rounded } from "./statistics.ts";
import type { LoadWorld } from "./world.ts";

/** What came of making a journey once. */
export interface JourneyOutcome {
  /** The request that was not as expected, and how. */
  readonly problem: string | undefined;
  /** Each request with its time. */
  readonly evidence: string;
  readonly steps: readonly { readonly step: string; readonly request: string; readonly ms: number; readonly problem: string }[];
}

/** Makes a journey once, with patience for what comes true only after a while. */
export async function makeOnce(journey: Journey, number: number, { client, world }: { readonly client: LoadClient; readonly world: LoadWorld }): Promise<JourneyOutcome> {
  const samples: Sample[] = [];
  await runJourney(journey, {
    client,
    values: world.valuesFor(number),
    cookie: journey.signedIn ? world.cookieFor(number) : undefined,
    dueAt: performance.now(),
    patient: true,
    record: (sample) => samples.push(sample),
  });
  const last = samples.at(-1);
  const steps = samples.map(({ step, sentAt, endedAt, problem }) => ({ step: step.name, request: `${step.method} ${step.path}`, ms: rounded(endedAt - sentAt), problem: problem ?? "" }));
  return {
    problem: last?.problem === undefined ? undefined : `${last.step.name} (${last.step.method} ${last.step.path}): ${last.problem}, expected status ${last.step.status}`,
    evidence: steps.map(({ step, ms }) => `${step} ${Math.round(ms)} ms`).join(", "),
    steps,
  };
}

const remedy = "See the application's log at the time of this run; the journey is in the workload's load plan.";

/** Every journey once, in order; one check each. */
export async function smokeChecks(journeys: readonly Journey[], options: { readonly client: LoadClient; readonly world: LoadWorld; readonly onCheck: (done: number, journey: Journey) => void; readonly signal?: AbortSignal | undefined }): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const [number, journey] of journeys.entries()) {
    options.signal?.throwIfAborted();
    options.onCheck(number, journey);
    const startedAt = performance.now();
    const { problem, evidence, steps } = await makeOnce(journey, number, options);
    results.push({
      id: `smoke.${journey.name}`,
      category: "smoke",
      title: journey.title,
      severity: "error",
      status: problem === undefined ? "passed" : "failed",
      evidence: problem ?? evidence,
      ...(problem === undefined ? {} : { remedy }),
      durationMs: performance.now() - startedAt,
      details: { requests: steps },
    });
  }
  return results;
}
