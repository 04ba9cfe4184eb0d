import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { StagingSetupInputs } from "./operations/stagingSetup.ts";
import { DynamicResource } from "./provider.ts";

/** Roles, schemas, marker and privileges of the staging database. */
export class StagingSetup extends DynamicResource {
  declare readonly systemIdentifier: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof StagingSetupInputs]: Input<StagingSetupInputs[Key]> }, opts?: CustomResourceOptions) {
    super("StagingSetup", "stagingSetup", name, { ...args, systemIdentifier: undefined }, { ...opts, additionalSecretOutputs: ["staging"] });
  }
}
