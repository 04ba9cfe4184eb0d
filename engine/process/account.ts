import { readFile } from "node:fs/promises";
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
