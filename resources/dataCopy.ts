import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { DataCopyInputs } from "./operations/dataCopy.ts";
import { DynamicResource } from "./provider.ts";

/** Masked production data in the staging database, switched in when proved. */
export class DataCopy extends DynamicResource {
  declare readonly copyId: Output<string>;
  declare readonly reportJson: Output<string>;
  declare readonly reportHtml: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof DataCopyInputs]: Input<DataCopyInputs[Key]> }, opts?: CustomResourceOptions) {
    super("DataCopy", "dataCopy", name, { ...args, copyId: undefined, reportJson: undefined, reportHtml: undefined }, { ...opts, additionalSecretOutputs: ["source", "staging", "maskingKey"] });
  }
}
