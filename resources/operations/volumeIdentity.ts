import { randomUUID } from "node:crypto";
import { volumeExists } from "../../engine/docker/volumes.ts";
import { operationsOf } from "../operations.ts";

export interface VolumeIdentityInputs {
  readonly volume: string;
}

export interface VolumeIdentityOutputs {
  /** Another one for every volume ever made: what was loaded into the old one is not in this. */
  readonly volumeId: string;
}

export const operations = operationsOf<VolumeIdentityInputs, VolumeIdentityOutputs>({
  replaceOn: ["volume"],
  updateOn: [],
  async create({ volume }) {
    return { id: volume, outputs: { volumeId: randomUUID() } };
  },
  // It goes with its volume; the one that `up` then makes is another.
  async read(_id, { volume, volumeId }) {
    return (await volumeExists(volume)) ? { volumeId } : undefined;
  },
});
