import type { JourneyMaker } from "../validation/application/journeys.ts";
import type { CheckContext } from "../validation/check.ts";
import type { Workload } from "../workload/manifest.ts";
import { createLoadClient, type LoadClient } from "./client.ts";
import { requireLoopback } from "./loopback.ts";
import { loadPlanOf, type LoadPlan } from "./plan.ts";
import { makeOnce } from "./smoke.ts";
import { openWorld, type LoadWorld } from "./world.ts";

interface Shared {
  readonly client: LoadClient;
  readonly world: LoadWorld;
}

/** The journeys of a workload's load plan for one run of validation; none when it has no plan. What they leave behind goes afterwards. */
export async function journeysForValidation(workload: Workload): Promise<JourneyMaker[]> {
  if (workload.manifest.load === undefined) return [];
  const plan = await loadPlanOf(workload);
  let shared: Promise<Shared> | undefined;
  return plan.journeys.map((journey, number) => ({
    journey,
    make: async (context) => makeOnce(journey, number, await (shared ??= open(plan, context))),
  }));
}

/** Opened by whichever journey comes first. */
async function open(plan: LoadPlan, { target, workload, afterwards }: CheckContext): Promise<Shared> {
  const origin = await requireLoopback(target.httpsUrl);
  const world = await openWorld({ plan, journeys: plan.journeys, target, workload, sessions: 1 });
  const client = createLoadClient(origin, { connections: 8, timeoutMs: 8_000 });
  afterwards(() => world.close());
  afterwards(() => client.close());
  return { client, world };
}
