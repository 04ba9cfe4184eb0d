import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { VolumeIdentityInputs } from "./operations/volumeIdentity.ts";
import { DynamicResource } from "./provider.ts";

/** Tells a Docker volume from another one of that name. */
export class VolumeIdentity extends DynamicResource {
  declare readonly volumeId: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof VolumeIdentityInputs]: Input<VolumeIdentityInputs[Key]> }, opts?: CustomResourceOptions) {
    super("VolumeIdentity", "volumeIdentity", name, { ...args, volumeId: undefined }, opts);
  }
}
