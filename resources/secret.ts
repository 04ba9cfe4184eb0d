import { dynamic, type CustomResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import type { SecretInputs } from "./operations/secret.ts";
import { providerOf } from "./provider.ts";

const provider = providerOf("secret");

/** A random secret, made once, encrypted in state. */
export class Secret extends dynamic.Resource {
  declare readonly value: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof SecretInputs]: Input<SecretInputs[Key]> }, opts?: CustomResourceOptions) {
    super(provider, name, { ...args, value: undefined }, { ...opts, additionalSecretOutputs: ["value"] }, "understudy", "Secret");
  }
}
