import { layoutOf } from "../../engine/process/layout.ts";
import { loadWorkload } from "../../engine/workload/manifest.ts";
import { failUnlessGreen, operationsOf, progressLines } from "../operations.ts";
import { validationTarget, type TargetDescription } from "../validationTarget.ts";

export interface ValidationInputs {
  readonly target: TargetDescription;
  readonly stackId: string;
  readonly workloadFolder: string;
  readonly reportsFolder: string;
  readonly quick: boolean;
  /** Hash of what is asked of the workload. */
  readonly checksHash: string;
  /** Everything that was proved: fingerprints of services, the copy, the rehearsal. */
  readonly subject: readonly string[];
  readonly revision: number;
}

export interface ValidationOutputs {
  readonly reportJson: string;
  readonly reportHtml: string;
}

// The work is imported when it is done: looking for differences needs none of it.
async function validate(inputs: ValidationInputs): Promise<ValidationOutputs> {
  const { validateStaging } = await import("../../engine/validation/validate.ts");
  const workload = await loadWorkload(inputs.workloadFolder);
  const { report, files } = await validateStaging({
    target: validationTarget(inputs.target, layoutOf(inputs.stackId)),
    workload,
    reportsFolder: inputs.reportsFolder,
    quick: inputs.quick,
    onProgress: progressLines("validation"),
  });
  failUnlessGreen("The validation", report, files);
  return { reportJson: files.json, reportHtml: files.html };
}

export const operations = operationsOf<ValidationInputs, ValidationOutputs>({
  updateOn: ["quick", "checksHash", "subject", "revision"],
  async create(inputs) {
    return { id: `${inputs.target.stack}/validation`, outputs: await validate(inputs) };
  },
  update: (_id, _olds, news) => validate(news),
});
