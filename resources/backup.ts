import { dynamic, type CustomResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import type { BackupInputs } from "./operations/backup.ts";
import { providerOf } from "./provider.ts";

const provider = providerOf("backup");

/** A backup of the staging database, made before anything is overwritten. */
export class Backup extends dynamic.Resource {
  declare readonly file: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof BackupInputs]: Input<BackupInputs[Key]> }, opts?: CustomResourceOptions) {
    super(provider, name, { ...args, file: undefined, sha256: undefined }, { ...opts, additionalSecretOutputs: ["staging"] }, "understudy", "Backup");
  }
}
