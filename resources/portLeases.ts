import type { CustomResourceOptions, Input } from "@pulumi/pulumi";
import type { PortLeasesInputs } from "./operations/portLeases.ts";
import { DynamicResource } from "./provider.ts";

/** Leases on every port of a stack: all or none, so that stacks cannot collide. */
export class PortLeases extends DynamicResource {

  constructor(name: string, args: { readonly [Key in keyof PortLeasesInputs]: Input<PortLeasesInputs[Key]> }, opts?: CustomResourceOptions) {
    super("PortLeases", "portLeases", name, args, opts);
  }
}
