import type { CustomResourceOptions, Input } from "@pulumi/pulumi";
import type { CacheClusterInputs } from "./operations/cacheCluster.ts";
import { DynamicResource } from "./provider.ts";

/** Redis servers, introduced to each other, with the slots shared out among them. */
export class CacheCluster extends DynamicResource {
  constructor(name: string, args: { readonly [Key in keyof CacheClusterInputs]: Input<CacheClusterInputs[Key]> }, opts?: CustomResourceOptions) {
    super("CacheCluster", "cacheCluster", name, { ...args, whole: undefined }, { ...opts, additionalSecretOutputs: ["password"] });
  }
}
