import type { CustomResourceOptions, Input } from "@pulumi/pulumi";
import type { StackFolderInputs } from "./operations/stackFolder.ts";
import { DynamicResource } from "./provider.ts";

/** A stack's folder on this machine, closed to everybody else; gone with the stack. */
export class StackFolder extends DynamicResource {
  constructor(name: string, args: { readonly [Key in keyof StackFolderInputs]: Input<StackFolderInputs[Key]> }, opts?: CustomResourceOptions) {
    super("StackFolder", "stackFolder", name, { ...args }, opts);
  }
}
