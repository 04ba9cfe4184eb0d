import { constants, copyFile, mkdir, rename, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { exitCode, UnderstudyError } from "../errors.ts";
import { type PostgresProgram, postgresProgram } from "../postgres/programs.ts";
import type { Account } from "./account.ts";
import { findProgram } from "./findProgram.ts";
import type { StackLayout } from "./layout.ts";

/**
 * The program a service is started with. `postgres` comes from the server's own folder; `node` is this very Node,
 * copied beside the stack where the service's account could not reach it.
 * @throws UnderstudyError (exit 3) when it is not installed.
 */
export async function resolveProgram(name: string, layout: StackLayout, account: Account | undefined): Promise<string> {
  if (name === "postgres") return postgresProgram(name satisfies PostgresProgram);
  if (name === "node") return reachableNode(layout, account);
  if (name.startsWith("/")) return name;
  const path = findProgram(name);
  if (path !== undefined) return path;
  throw new UnderstudyError(`${name} is not installed.`, {
    exitCode: exitCode.provisioning,
    remedy:
      name === "pgbouncer"
        ? "Install it with: sudo sh tools/install-packages.sh pgbouncer (or leave database.pooling off)."
        : "Run `make setup`, or `understudy doctor` to see what is missing.",
  });
}

/** Whether others than the owner may pass through every folder above a path. */
export async function isReachableByOthers(path: string): Promise<boolean> {
  for (let folder = dirname(path); folder !== "/"; folder = dirname(folder)) {
    const { mode } = await stat(folder);
    if ((mode & 0o001) === 0) return false;
  }
  return true;
}

async function reachableNode(layout: StackLayout, account: Account | undefined): Promise<string> {
  const own = process.execPath;
  if (account === undefined || (await isReachableByOthers(own))) return own;
  const copy = join(layout.folder, "runtime", process.version, basename(own));
  if (await stat(copy).then(() => true, () => false)) return copy;
  await mkdir(dirname(copy), { recursive: true, mode: 0o755 });
  const draft = `${copy}.draft`;
  await copyFile(own, draft, constants.COPYFILE_FICLONE);
  await rename(draft, copy);
  return copy;
}
