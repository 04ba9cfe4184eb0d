import { dynamic, type CustomResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import type { ValidationInputs } from "./operations/validation.ts";
import { providerOf } from "./provider.ts";

const provider = providerOf("validation");

/** The whole stack, checked; fails the deployment with the failing checks named. */
export class Validation extends dynamic.Resource {
  declare readonly reportJson: Output<string>;
  declare readonly reportHtml: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof ValidationInputs]: Input<ValidationInputs[Key]> }, opts?: CustomResourceOptions) {
    super(provider, name, { ...args, reportJson: undefined, reportHtml: undefined }, { ...opts, additionalSecretOutputs: ["target"] }, "understudy", "Validation");
  }
}
