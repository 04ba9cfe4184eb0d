import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { ValidationInputs } from "./operations/validation.ts";
import { DynamicResource } from "./provider.ts";

/** The whole stack, checked; fails the deployment with the failing checks named. */
export class Validation extends DynamicResource {
  declare readonly reportJson: Output<string>;
  declare readonly reportHtml: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof ValidationInputs]: Input<ValidationInputs[Key]> }, opts?: CustomResourceOptions) {
    super("Validation", "validation", name, { ...args, reportJson: undefined, reportHtml: undefined }, { ...opts, additionalSecretOutputs: ["target"] });
  }
}
