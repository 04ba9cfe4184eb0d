import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { BackupInputs } from "./operations/backup.ts";
import { DynamicResource } from "./provider.ts";

/** A backup of the staging database, made before anything is overwritten. */
export class Backup extends DynamicResource {
  declare readonly file: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof BackupInputs]: Input<BackupInputs[Key]> }, opts?: CustomResourceOptions) {
    super("Backup", "backup", name, { ...args, file: undefined, sha256: undefined }, { ...opts, additionalSecretOutputs: ["staging"] });
  }
}
