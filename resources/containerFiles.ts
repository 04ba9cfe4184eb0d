import type { CustomResourceOptions, Input } from "@pulumi/pulumi";
import type { ContainerFilesInputs } from "./operations/containerFiles.ts";
import { DynamicResource } from "./provider.ts";

/** What a container reads, in a folder of this machine. */
export class ContainerFiles extends DynamicResource {
  constructor(name: string, args: { readonly [Key in keyof ContainerFilesInputs]: Input<ContainerFilesInputs[Key]> }, opts?: CustomResourceOptions) {
    super("ContainerFiles", "containerFiles", name, { ...args, present: undefined }, { ...opts, additionalSecretOutputs: ["secretFiles"] });
  }
}
