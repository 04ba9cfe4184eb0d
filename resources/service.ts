import { dynamic, type CustomResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import type { ServiceInputs } from "./operations/service.ts";
import { providerOf } from "./provider.ts";

const provider = providerOf("service");

/** One supervised process, ready when its probe says so. */
export class Service extends dynamic.Resource {
  declare readonly fingerprint: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof ServiceInputs]: Input<ServiceInputs[Key]> }, opts?: CustomResourceOptions) {
    super(provider, name, { ...args, running: undefined, fingerprint: undefined }, { ...opts, additionalSecretOutputs: ["environment", "secretFiles", "cluster", "probe"] }, "understudy", "Service");
  }
}
