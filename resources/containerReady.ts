import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { ContainerReadyInputs } from "./operations/containerReady.ts";
import { DynamicResource } from "./provider.ts";

/** A container that works: its probe, from this machine, says so. */
export class ContainerReady extends DynamicResource {
  declare readonly fingerprint: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof ContainerReadyInputs]: Input<ContainerReadyInputs[Key]> }, opts?: CustomResourceOptions) {
    super("ContainerReady", "containerReady", name, { ...args, ready: undefined, fingerprint: undefined }, { ...opts, additionalSecretOutputs: ["probe"] });
  }
}
