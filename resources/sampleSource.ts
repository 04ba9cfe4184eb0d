import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { ConnectionSettings } from "../engine/postgres/connection.ts";
import type { SampleSourceInputs } from "./operations/sampleSource.ts";
import { DynamicResource } from "./provider.ts";

/** A deterministic sample production database, where no real one is configured. */
export class SampleSource extends DynamicResource {
  declare readonly reader: Output<ConnectionSettings>;

  constructor(name: string, args: { readonly [Key in keyof SampleSourceInputs]: Input<SampleSourceInputs[Key]> }, opts?: CustomResourceOptions) {
    super("SampleSource", "sampleSource", name, { ...args, reader: undefined, sizeBytes: undefined }, { ...opts, additionalSecretOutputs: ["server", "readerPassword", "reader"] });
  }
}
