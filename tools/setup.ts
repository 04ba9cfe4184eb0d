import { join } from "node:path";
import { messageOf, UnderstudyError } from "../engine/errors.ts";
import { obtainEngine } from "./engine.ts";
import { installationWasCutOff, installPackages, rootPrefix } from "./install.ts";
import { missingPackages, type PackageProfile, type SystemPackage } from "./packages.ts";
import { say, spoken } from "./say.ts";
import { appUser, appUserIsMissing, createAppUser } from "./systemUser.ts";

const root = join(import.meta.dirname, "..");

/** What each of the set-up's purposes needs of the system. */
const profilesFor: Readonly<Record<string, readonly PackageProfile[]>> = {
  up: ["base", "monitoring"],
  test: ["base", "monitoring", "pooling", "test"],
};

async function setUpPackages(missing: readonly SystemPackage[]): Promise<void> {
  if (installationWasCutOff()) {
    say("packages", "an earlier installation was cut off: finishing it");
    await installPackages(root, []);
  }
  if (missing.length === 0) return;
  const how = rootPrefix()?.includes("sudo") === true ? "with sudo apt-get" : "with apt-get";
  say("packages", `installing ${missing.length} ${how}; their services are neither started nor enabled:`);
  for (const { name, purpose } of missing) say("", `${name.padEnd(30)} ${purpose}`);
  const startedMs = performance.now();
  await installPackages(root, missing.map(({ name }) => name));
  say("packages", `installed in ${spoken(performance.now() - startedMs)}`);
}

function setUpUser(): void {
  if (!appUserIsMissing()) return;
  createAppUser();
  say("users", `made the system user "${appUser}": the app runs as it, since you are root`);
}

async function setUp(purpose: string): Promise<void> {
  const profiles = profilesFor[purpose];
  if (profiles === undefined) {
    throw new Error(`"${purpose}" is no purpose of the set-up. Allowed: ${Object.keys(profilesFor).join(", ")}.`);
  }
  const startedMs = performance.now();
  await setUpPackages(missingPackages(profiles));
  setUpUser();
  const engine = await obtainEngine({ root, say });
  const node = process.versions.node;
  const tookMs = performance.now() - startedMs;
  say("ready", `Node ${node}, Pulumi ${engine.version} (${engine.origin}), all packages; set-up took ${spoken(tookMs)}`);
}

try {
  await setUp(process.argv[2] ?? "up");
} catch (error) {
  say("failed", error instanceof UnderstudyError ? error.line : messageOf(error));
  process.exitCode = error instanceof UnderstudyError ? error.exitCode : 1;
}
