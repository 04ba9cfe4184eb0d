import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { ReplicationInputs } from "./operations/replication.ts";
import { DynamicResource } from "./provider.ts";

/** What a primary needs so that a replica can follow it: a role that streams, and a slot that keeps its log. */
export class Replication extends DynamicResource {
  declare readonly base: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof ReplicationInputs]: Input<ReplicationInputs[Key]> }, opts?: CustomResourceOptions) {
    super("Replication", "replication", name, { ...args, base: undefined }, { ...opts, additionalSecretOutputs: ["staging", "password"] });
  }
}
