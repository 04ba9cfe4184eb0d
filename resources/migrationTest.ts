import type { CustomResourceOptions, Input, Output } from "@pulumi/pulumi";
import type { MigrationTestInputs } from "./operations/migrationTest.ts";
import { DynamicResource } from "./provider.ts";

/** The migrations, rehearsed up and down on a clone; fails the deployment when they cannot ship. */
export class MigrationTest extends DynamicResource {
  declare readonly reportJson: Output<string>;
  declare readonly reportHtml: Output<string>;

  constructor(name: string, args: { readonly [Key in keyof MigrationTestInputs]: Input<MigrationTestInputs[Key]> }, opts?: CustomResourceOptions) {
    super("MigrationTest", "migrationTest", name, { ...args, reportJson: undefined, reportHtml: undefined }, { ...opts, additionalSecretOutputs: ["staging"] });
  }
}
