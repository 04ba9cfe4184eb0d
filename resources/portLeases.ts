import { dynamic, type CustomResourceOptions, type Input } from "@pulumi/pulumi";
import type { PortLeasesInputs } from "./operations/portLeases.ts";
import { providerOf } from "./provider.ts";

const provider = providerOf("portLeases");

/** Leases on every port of a stack: all or none, so that stacks cannot collide. */
export class PortLeases extends dynamic.Resource {

  constructor(name: string, args: { readonly [Key in keyof PortLeasesInputs]: Input<PortLeasesInputs[Key]> }, opts?: CustomResourceOptions) {
    super(provider, name, args, opts, "understudy", "PortLeases");
  }
}
