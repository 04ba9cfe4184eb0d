import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { ServiceInputs } from "./operations/service.ts";
import { DynamicResource } from "./provider.ts";

/** One supervised process, ready when its probe says so. */
export class Service extends DynamicResource {
  declare readonly fingerprint: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof ServiceInputs]: Input<ServiceInputs[Key]> }, opts?: CustomResourceOptions) {
    super("Service", "service", name, { ...args, running: undefined, fingerprint: undefined }, { ...opts, additionalSecretOutputs: ["environment", "secretFiles", "cluster", "standby", "probe"] });
  }
}
