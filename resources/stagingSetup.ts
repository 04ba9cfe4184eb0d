import { dynamic, type CustomResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import type { StagingSetupInputs } from "./operations/stagingSetup.ts";
import { providerOf } from "./provider.ts";

const provider = providerOf("stagingSetup");

/** Roles, schemas, marker and privileges of the staging database. */
export class StagingSetup extends dynamic.Resource {
  declare readonly systemIdentifier: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof StagingSetupInputs]: Input<StagingSetupInputs[Key]> }, opts?: CustomResourceOptions) {
    super(provider, name, { ...args, systemIdentifier: undefined }, { ...opts, additionalSecretOutputs: ["staging"] }, "understudy", "StagingSetup");
  }
}
