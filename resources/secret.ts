import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { SecretInputs } from "./operations/secret.ts";
import { DynamicResource } from "./provider.ts";

/** A random secret, made once, encrypted in state. */
export class Secret extends DynamicResource {
  declare readonly value: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof SecretInputs]: Input<SecretInputs[Key]> }, opts?: CustomResourceOptions) {
    super("Secret", "secret", name, { ...args, value: undefined }, { ...opts, additionalSecretOutputs: ["value"] });
  }
}
