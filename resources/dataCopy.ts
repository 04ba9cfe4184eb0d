import { dynamic, type CustomResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import type { DataCopyInputs } from "./operations/dataCopy.ts";
import { providerOf } from "./provider.ts";

const provider = providerOf("dataCopy");

/** Masked production data in the staging database, switched in when proved. */
export class DataCopy extends dynamic.Resource {
  declare readonly copyId: Output<string>;
  declare readonly reportJson: Output<string>;
  declare readonly reportHtml: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof DataCopyInputs]: Input<DataCopyInputs[Key]> }, opts?: CustomResourceOptions) {
    super(provider, name, { ...args, copyId: undefined, reportJson: undefined, reportHtml: undefined }, { ...opts, additionalSecretOutputs: ["source", "staging", "maskingKey"] }, "understudy", "DataCopy");
  }
}
