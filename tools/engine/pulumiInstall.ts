import { PulumiCommand } from "@pulumi/pulumi/automation/index.js";
import { SemVer } from "semver";
import { messageOf } from "../../engine/errors.ts";

/** Run in a process of its own, so that it can be ended when the network does not answer. */
const [root, version] = process.argv.slice(2);
if (root === undefined || version === undefined) {
  console.error("usage: pulumiInstall.ts FOLDER VERSION");
  process.exit(2);
}

try {
  await PulumiCommand.install({ root, version: new SemVer(version) });
} catch (error) {
  console.error(messageOf(error).trim().split("\n")[0]);
  process.exit(1);
}
