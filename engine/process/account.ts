import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { exitCode, UnderstudyError } from "../errors.ts";

/** A system account by name and number. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** True where services have to be dropped to unprivileged accounts. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The first of the named accounts that exists, in order of preference; `undefined` when the caller is not root:
 * then every service runs as the caller.
 * @throws UnderstudyError (exit 3) when the caller is root and none of them exists.
 */
export async function accountFor(candidates: readonly string[]): Promise<Account | undefined> {
  if (!isRoot()) return undefined;
  const entries = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const name of candidates) {
    const entry = entries.find(([entryName]) => entryName === name);
    if (entry?.[2] !== undefined && entry[3] !== undefined) {
      return { name, uid: Number(entry[2]), gid: Number(entry[3]) };
    }
  }
  throw new UnderstudyError(`None of the accounts ${candidates.join(", ")} exists, and services never run as root.`, {
    exitCode: exitCode.provisioning,
    remedy: "Run `make setup`, which creates them.",
  });
}

/**
 * Refuses a working folder that a service could not enter: a checkout below /root is closed to every other account.
 * @throws UnderstudyError (exit 2) that names the folder of the path which is closed, or which is missing.
 */
export async function assertCanEnter(folder: string, account: Account | undefined): Promise<void> {
  for (const step of stepsTo(folder)) {
    const found = await stat(step).catch(() => undefined);
    const refusal = refusalOf(found, account);
    if (refusal === undefined) continue;
    throw new UnderstudyError(`The app's working folder ${folder} cannot be entered: ${step} ${refusal}.`, {
      exitCode: exitCode.usage,
      remedy: "Set app.workingFolder to a folder that every account may enter, with the app in it.",
    });
  }
}

function stepsTo(folder: string): string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [...stepsTo(parent), folder];
}

function refusalOf(found: Awaited<ReturnType<typeof stat>> | undefined, account: Account | undefined): string | undefined {
  if (found === undefined) return "does not exist";
  if (!found.isDirectory()) return "is no folder";
  if (account === undefined) return undefined;
  const shift = found.uid === account.uid ? 6 : found.gid === account.gid ? 3 : 0;
  return ((Number(found.mode) >> shift) & 1) === 1 ? undefined : `is closed to ${account.name}, which runs the app`;
}
