import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { VolumeInputs } from "./operations/volume.ts";
import { DynamicResource } from "./provider.ts";

/** A data folder that outlives the service which uses it. */
export class Volume extends DynamicResource {
  declare readonly volumeId: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof VolumeInputs]: Input<VolumeInputs[Key]> }, opts?: CustomResourceOptions) {
    super("Volume", "volume", name, { ...args, volumeId: undefined }, opts);
  }
}
