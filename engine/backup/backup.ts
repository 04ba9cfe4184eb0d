import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { constants } from "node:fs";
import { access, link, mkdir, open, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Client } from "pg";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { silent } from "../progress.ts";
import type { OnProgress } from "../progress.ts";
import type { ConnectionSettings } from "../postgres/connection.ts";
import { countRows } from "../postgres/rowCounts.ts";
import { interrupted, withSession } from "../postgres/session.ts";
import { connectionOf } from "../staging/database.ts";
import type { StagingDatabase } from "../staging/database.ts";
import { markerOf, requireMarker } from "../staging/marker.ts";
import { startClientProgram } from "./clientProgram.ts";
import { backupFileName, partialFileName } from "./fileName.ts";
import { removeAbandoned } from "./prune.ts";
import { trailerLine } from "./trailer.ts";

export interface BackupDatabase {
  readonly staging: StagingDatabase;
  /** Made when it is not there. */
  readonly folder: string;
  /** Whose database it is; its marker must say the same. */
  readonly stack: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

export interface Backup {
  /** Absolute. */
  readonly file: string;
  /** Compressed. */
  readonly sizeBytes: number;
  /** Of the compressed file. */
  readonly sha256: string;
  readonly durationMs: number;
  /** Rows by table, the schema in front when it is not `public`; counted in the dump's snapshot. */
  readonly tables: Record<string, number>;
}

/** Most of the gain for a third of level 6's time. */
const gzipLevel = 3;

/**
 * Writes the staging database to `staging-backup-<stack>-<UTC>.sql.gz`: a plain dump that `zcat FILE | psql` loads into an empty
 * database. Owners and privileges are in it, so a restore gives back exactly what was; it needs the staging roles, which
 * `prepareStaging` makes on any server. The file is 0600 and has its name only once it is whole and on disk.
 * @throws UnderstudyError exit 3 when the server or the disk fails (nothing is left then), exit 4 without the staging marker,
 *   exit 130 when interrupted.
 */
export async function backupDatabase(options: BackupDatabase): Promise<Backup> {
  const { staging, stack, onProgress = silent, signal } = options;
  const startedAt = new Date();
  const folder = resolve(options.folder);
  const settings = connectionOf(staging, "admin");
  await mkdir(folder, { recursive: true });
  await removeAbandoned(folder);

  return withSession(settings, { applicationName: "understudy backup", signal }, async (client) => {
    requireMarker(await markerOf(client), settings, stack);
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    const partial = join(folder, partialFileName(backupFileName({ stack, at: startedAt, attempt: 1 }), process.pid));
    const target = await create(partial);
    try {
      const hash = createHash("sha256");
      const written = await writeDump({ client, settings, stack, startedAt, target, hash, onProgress, signal });
      await target.sync();
      await target.close();
      const file = await publish(partial, folder, { stack, at: startedAt });
      await client.query("COMMIT");
      onProgress({ step: "backup", message: file, done: written.sizeBytes, unit: "bytes" });
      return { file, ...written, sha256: hash.digest("hex"), durationMs: Date.now() - startedAt.getTime() };
    } catch (error) {
      throw asBackupError(error, folder, signal);
    } finally {
      await target.close().catch(() => {});
      await rm(partial, { force: true });
    }
  });
}

interface WriteDump {
  readonly client: Client;
  readonly settings: ConnectionSettings;
  readonly stack: string;
  readonly startedAt: Date;
  readonly target: FileHandle;
  readonly hash: Hash;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal | undefined;
}

async function writeDump(work: WriteDump): Promise<{ sizeBytes: number; tables: Record<string, number> }> {
  const { client, settings, stack, startedAt, target, hash, onProgress, signal } = work;
  const { rows } = await client.query<{ snapshot: string }>("SELECT pg_export_snapshot() AS snapshot");
  const dump = await startClientProgram("pg_dump", settings, [
    "--format=plain",
    "--encoding=UTF8",
    "--no-password",
    "--lock-wait-timeout=10000",
    `--snapshot=${rows[0]?.snapshot ?? ""}`,
  ]);
  const counting = countRows(client);
  counting.catch(() => {});
  let tables: Record<string, number> = {};
  let sizeBytes = 0;

  async function* wholeDump(): AsyncGenerator<Buffer> {
    yield* dump.stdout as AsyncIterable<Buffer>;
    await dump.ended;
    tables = await counting;
    const trailer = { version: 1, stack, database: settings.database, takenAt: startedAt.toISOString(), tables } as const;
    yield Buffer.from(trailerLine(trailer));
  }
  async function* measured(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of compressed) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      onProgress({ step: "backup", message: settings.database, done: sizeBytes, unit: "bytes" });
      yield chunk;
    }
  }
  async function toFile(chunks: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of chunks) await target.writeFile(chunk);
  }
  try {
    await pipeline(wholeDump, createGzip({ level: gzipLevel }), measured, toFile, signal === undefined ? {} : { signal });
  } finally {
    dump.kill();
  }
  return { sizeBytes, tables };
}

async function create(partial: string): Promise<FileHandle> {
  return open(partial, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600).catch((cause: unknown) => {
    throw new UnderstudyError(`The backup cannot be written: ${messageOf(cause)}.`, {
      exitCode: exitCode.provisioning,
      remedy: "Check the folder's owner and free space.",
      cause,
    });
  });
}

/** Gives the file its name, never taking that of another backup. */
async function publish(partial: string, folder: string, of: { readonly stack: string; readonly at: Date }): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    const file = join(folder, backupFileName({ ...of, attempt }));
    const taken = await access(file).then(() => true, () => false);
    if (taken || !(await nameIt(partial, file))) continue;
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
    return file;
  }
}

/** Links, which never replaces; renames on file systems without hard links. False when the name is taken. */
async function nameIt(partial: string, file: string): Promise<boolean> {
  try {
    await link(partial, file);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") return false;
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "EOPNOTSUPP") throw error;
    await rename(partial, file);
  }
  return true;
}

function asBackupError(error: unknown, folder: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return interrupted("The backup");
  if (error instanceof UnderstudyError) return error;
  const full = error instanceof Error && "code" in error && ["ENOSPC", "EDQUOT", "EFBIG"].includes(String(error.code));
  return new UnderstudyError(
    full ? `No space left for the backup in ${folder}.` : `The backup failed: ${messageOf(error)}.`,
    {
      exitCode: exitCode.provisioning,
      remedy: full ? "Make room there, or choose another folder; nothing half-written was kept." : "Nothing half-written was kept.",
      cause: error,
    },
  );
}
