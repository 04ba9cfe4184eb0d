import { dynamic, type CustomResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import type { VolumeInputs } from "./operations/volume.ts";
import { providerOf } from "./provider.ts";

const provider = providerOf("volume");

/** A data folder that outlives the service which uses it. */
export class Volume extends dynamic.Resource {
  declare readonly volumeId: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof VolumeInputs]: Input<VolumeInputs[Key]> }, opts?: CustomResourceOptions) {
    super(provider, name, { ...args, volumeId: undefined }, opts, "understudy", "Volume");
  }
}
