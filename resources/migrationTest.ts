import { dynamic, type CustomResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import type { MigrationTestInputs } from "./operations/migrationTest.ts";
import { providerOf } from "./provider.ts";

const provider = providerOf("migrationTest");

/** The migrations, rehearsed up and down on a clone; fails the deployment when they cannot ship. */
export class MigrationTest extends dynamic.Resource {
  declare readonly reportJson: Output<string>;
  declare readonly reportHtml: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof MigrationTestInputs]: Input<MigrationTestInputs[Key]> }, opts?: CustomResourceOptions) {
    super(provider, name, { ...args, reportJson: undefined, reportHtml: undefined }, { ...opts, additionalSecretOutputs: ["staging"] }, "understudy", "MigrationTest");
  }
}
