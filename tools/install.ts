import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { exitCode, UnderstudyError } from "../engine/errors.ts";
import { findProgram } from "../engine/process/findProgram.ts";

/** Left by an installation that was cut off; tools/install-packages.sh writes it and finishes what it stands for. */
const unfinished = "/var/lib/understudy/packages-before";

/** Whether an earlier installation was cut off before it had disabled the services it brought. */
export function installationWasCutOff(): boolean {
  return existsSync(unfinished);
}

/** How to become root for one command: nothing to add when root already, else sudo; undefined when there is no way. */
export function rootPrefix(): readonly string[] | undefined {
  if (process.getuid?.() === 0) return [];
  return findProgram("sudo") === undefined ? undefined : ["sudo"];
}

/**
 * Installs Debian packages as root, with none of their services started or enabled.
 * With no names it only finishes what an interrupted installation left.
 *
 * @throws UnderstudyError (exit 3) which says what to install by hand
 */
export async function installPackages(root: string, names: readonly string[]): Promise<void> {
  const byHand = `Install ${names.join(", ")} by hand, then run this again.`;
  if (findProgram("apt-get") === undefined) {
    throw new UnderstudyError("There is no apt-get here to install packages with: this is not Debian.", {
      exitCode: exitCode.provisioning,
      remedy: byHand,
    });
  }
  const prefix = rootPrefix();
  if (prefix === undefined) {
    throw new UnderstudyError("Installing packages needs root, and there is no sudo here.", {
      exitCode: exitCode.provisioning,
      remedy: `Run as root: apt-get install --no-install-recommends ${names.join(" ")}`,
    });
  }
  const [command = "sh", ...rest] = [...prefix, "sh", join(root, "tools/install-packages.sh"), ...names];
  const { code, output } = await run(command, rest);
  if (code === 0) return;
  throw new UnderstudyError(`apt-get failed (exit ${code}):\n${lastLines(output, 12)}`, {
    exitCode: exitCode.provisioning,
    remedy: byHand,
  });
}

function run(command: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    // sudo asks for a password on the terminal itself, so neither stdin nor the captured output is needed for it.
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/** The end of a log, which is where the reason stands. */
export function lastLines(text: string, count: number): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
