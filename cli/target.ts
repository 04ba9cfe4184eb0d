import { z } from "zod";
import { exitCode, UnderstudyError } from "../engine/errors.ts";
import { validationTarget, type CopyDescription, type TargetDescription } from "../resources/validationTarget.ts";
import { layoutOf, type StackLayout } from "../engine/process/layout.ts";
import { loadWorkload, type Workload } from "../engine/workload/manifest.ts";
import type { ValidationTarget } from "../engine/validation/target.ts";
import { outputsOf } from "./workspace.ts";

/** A deployed stack as its outputs describe it: enough to work on it without the engine. */
export interface DeployedStack {
  readonly name: string;
  readonly stackId: string;
  readonly layout: StackLayout;
  readonly workload: Workload;
  readonly description: TargetDescription;
  readonly target: ValidationTarget;
  readonly copying: CopyDescription;
  readonly urls: Readonly<Record<string, string>>;
  readonly ports: Readonly<Record<string, number>>;
  readonly reports: Readonly<Record<string, string>>;
}

const plainOutputs = z.object({
  stackId: z.string(),
  workload: z.string(),
  urls: z.record(z.string(), z.string()),
  ports: z.record(z.string(), z.number()),
  reports: z.record(z.string(), z.string()).default({}),
  copying: z.custom<CopyDescription>((value) => typeof value === "object" && value !== null && "maskingKey" in value),
  target: z.custom<TargetDescription>((value) => typeof value === "object" && value !== null && "staging" in value),
});

/**
 * Reads what a stack left in its outputs.
 * @throws UnderstudyError exit 2 when it was never deployed, exit 3 when its deployment never got that far.
 */
export async function deployedStack(name: string): Promise<DeployedStack> {
  const outputs = await outputsOf(name);
  const parsed = plainOutputs.safeParse(Object.fromEntries(Object.entries(outputs).map(([key, { value }]) => [key, value])));
  if (!parsed.success) {
    throw new UnderstudyError(`Stack ${name} is not whole: its deployment did not get to its outputs.`, {
      exitCode: exitCode.provisioning,
      remedy: `Go on with: understudy up --stack ${name}`,
      cause: parsed.error,
    });
  }
  const { stackId, target, workload, ...rest } = parsed.data;
  const layout = layoutOf(stackId);
  return { name, stackId, layout, workload: await loadWorkload(workload), description: target, target: validationTarget(target, layout), ...rest };
}
