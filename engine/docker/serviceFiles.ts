import { createHash } from "node:crypto";
import { chmod, chown, cp, mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { isRoot } from "../process/account.ts";
import type { ServiceFile } from "../process/service.ts";

/** Account inside a container. */
export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
}

export interface ServiceFolder {
  /** Absolute; a container sees it read-only. Its parents are closed to everybody but the caller. */
  readonly folder: string;
  readonly user: ContainerUser;
  readonly files: readonly ServiceFile[];
  readonly trees: readonly { readonly from: string; readonly to: string }[];
}

/**
 * Writes what a container reads. Its user owns the files, 0400, where the caller may give them away (root); else they are
 * 0444, and that nobody else of this machine reads them is held by the closed folder above.
 */
export async function writeServiceFolder({ folder, user, files, trees }: ServiceFolder): Promise<void> {
  await openFolder(folder);
  for (const { from, to } of trees) {
    const target = join(folder, to);
    await openFolder(target);
    await cp(from, target, { recursive: true, force: true });
    await readable(target);
  }
  for (const { path, content } of files) {
    if (isAbsolute(path) || path.split("/").includes("..")) throw new Error(`file ${path} leaves its folder ${folder}`);
    const target = join(folder, path);
    await openFolder(dirname(target));
    const draft = `${target}.draft`;
    await rm(draft, { force: true });
    await writeFile(draft, content, { mode: 0o600, flag: "wx" });
    if (isRoot()) await chown(draft, user.uid, user.gid);
    await chmod(draft, isRoot() ? 0o400 : 0o444);
    await rename(draft, target);
  }
}

/** The container's user has to be able to enter. */
async function openFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
}

/** A checkout may be closed; what is copied of it for a container is not secret. */
async function readable(path: string): Promise<void> {
  const folder = (await stat(path)).isDirectory();
  await chmod(path, folder ? 0o755 : 0o644);
  if (folder) for (const name of await readdir(path)) await readable(join(path, name));
}

/** What is in those files, in 16 digits: another one when anything of it changes. Passwords in it are random, nobody guesses back. */
export function hashOfFiles(files: readonly ServiceFile[], others: readonly string[]): string {
  const hash = createHash("sha256");
  for (const { path, content } of files) hash.update(path).update("\0").update(content).update("\0");
  for (const other of others) hash.update(other).update("\0");
  return hash.digest("hex").slice(0, 16);
}
