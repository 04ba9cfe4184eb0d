import { readdir, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseBackupName, partialWriter } from "./fileName.ts";

export interface PruneBackups {
  readonly folder: string;
  /** Only this stack's; default every stack's, each by itself. */
  readonly stack?: string;
  /** Younger ones stay; default 24. */
  readonly keepHours?: number;
  /** So many of the newest stay whatever their age, per stack; default 1. */
  readonly keepAtLeast?: number;
  /** Default the present. */
  readonly now?: Date;
}

export interface PrunedBackups {
  /** Absolute paths, newest first. */
  readonly kept: string[];
  readonly removed: string[];
}

/** Removes backups older than `keepHours`, but never the newest `keepAtLeast` of a stack. Other files are left alone. */
export async function pruneBackups(options: PruneBackups): Promise<PrunedBackups> {
  const { stack, keepHours = 24, keepAtLeast = 1, now = new Date() } = options;
  const folder = resolve(options.folder);
  await removeAbandoned(folder);
  const backups = await listBackups(folder, stack);
  const oldestKept = now.getTime() - keepHours * 3_600_000;
  const rankOf = new Map<string, number>();
  const kept: string[] = [];
  const removed: string[] = [];
  for (const backup of backups) {
    const rank = (rankOf.get(backup.stack) ?? 0) + 1;
    rankOf.set(backup.stack, rank);
    const keep = rank <= keepAtLeast || backup.at.getTime() >= oldestKept;
    (keep ? kept : removed).push(backup.file);
  }
  for (const file of removed) await rm(file, { force: true });
  return { kept, removed };
}

export interface FoundBackup {
  /** Absolute. */
  readonly file: string;
  readonly stack: string;
  readonly at: Date;
}

/** The backups in a folder, newest first; none when there is no such folder. */
export async function listBackups(folder: string, stack?: string): Promise<FoundBackup[]> {
  const absolute = resolve(folder);
  return (await namesIn(absolute))
    .flatMap((name) => {
      const parsed = parseBackupName(name);
      return parsed === undefined || (stack !== undefined && parsed.stack !== stack) ? [] : [{ ...parsed, file: join(absolute, name) }];
    })
    .sort((left, right) => right.at.getTime() - left.at.getTime() || right.attempt - left.attempt)
    .map(({ file, stack, at }) => ({ file, stack, at }));
}

/** Removes what a killed backup left half-written. */
export async function removeAbandoned(folder: string): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await namesIn(folder)) {
    const pid = partialWriter(name);
    if (pid === undefined || (await isWriting(pid, join(folder, name)))) continue;
    await rm(join(folder, name), { force: true });
    removed.push(join(folder, name));
  }
  return removed;
}

/** A process of that id lives, and the file still grows: a recycled id does not keep a leftover for ever. */
async function isWriting(pid: number, file: string): Promise<boolean> {
  const alive = await stat(`/proc/${pid}`).then(() => true, () => false);
  if (!alive) return false;
  const written = await stat(file).then((entry) => entry.mtimeMs, () => 0);
  return Date.now() - written < 3_600_000;
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
}
