import { dynamic, type CustomResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import type { ConnectionSettings } from "../engine/postgres/connection.ts";
import type { SampleSourceInputs } from "./operations/sampleSource.ts";
import { providerOf } from "./provider.ts";

const provider = providerOf("sampleSource");

/** A deterministic sample production database, where no real one is configured. */
export class SampleSource extends dynamic.Resource {
  declare readonly reader: Output<ConnectionSettings>;

  constructor(name: string, args: { readonly [Key in keyof SampleSourceInputs]: Input<SampleSourceInputs[Key]> }, opts?: CustomResourceOptions) {
    super(provider, name, { ...args, reader: undefined, sizeBytes: undefined }, { ...opts, additionalSecretOutputs: ["server", "readerPassword", "reader"] }, "understudy", "SampleSource");
  }
}
