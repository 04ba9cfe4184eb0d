import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { Client } from "pg";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { silent } from "../progress.ts";
import type { OnProgress } from "../progress.ts";
import { createDatabase, databaseExists, dropDatabase, switchDatabase, withDatabaseLock } from "../postgres/databases.ts";
import { countRows } from "../postgres/rowCounts.ts";
import { interrupted, withSession } from "../postgres/session.ts";
import { connectionOf, replicaConnectionsOf, stagingRoles } from "../staging/database.ts";
import type { StagingDatabase } from "../staging/database.ts";
import { assertStaging, markerOf, requireMarker } from "../staging/marker.ts";
import { claimDatabase } from "../staging/privileges.ts";
import { startClientProgram } from "./clientProgram.ts";
import { verifyBackup } from "./verify.ts";
import type { VerifiedBackup } from "./verify.ts";

export interface RestoreBackup {
  readonly staging: StagingDatabase;
  readonly file: string;
  /** Whose database it is: the one in use and the one in the backup must both say so. */
  readonly stack: string;
  /** What the file must hash to. */
  readonly sha256?: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

export interface RestoredBackup {
  readonly file: string;
  readonly durationMs: number;
  /** Rows by table, as counted after loading. */
  readonly tables: Record<string, number>;
  /** The database that was in use, kept under this name; undefined when there was none. */
  readonly previous: string | undefined;
}

/**
 * Loads a backup into a fresh database, checks it, and switches it into place by name. Whatever fails, the database in use stays
 * as it is and in use. Needs the staging roles (`prepareStaging`).
 * @throws UnderstudyError exit 4 when the backup is not whole, its rows are not those it was made of, or a marker is missing;
 *   exit 2 when either belongs to another stack; exit 3 when the server fails; exit 130 when interrupted.
 */
export async function restoreBackup(options: RestoreBackup): Promise<RestoredBackup> {
  const { staging, file, stack, sha256, onProgress = silent, signal } = options;
  const startedAt = performance.now();
  const { database } = staging;
  const fresh = `${database}_restoring`;
  const previous = `${database}_previous`;
  const maintenance = connectionOf(staging, "admin", "postgres");

  onProgress({ step: "restore", message: `reading ${file}` });
  const backup = await verifyBackup(file, { signal, ...(sha256 === undefined ? {} : { sha256 }) });
  return withSession(maintenance, { applicationName: "understudy restore", signal }, (client) =>
    withDatabaseLock(client, database, async () => {
      const replaces = await databaseExists(client, database);
      if (replaces) await assertStaging(connectionOf(staging, "admin"), stack, signal);
      await dropDatabase(client, fresh);
      await createDatabase(client, fresh, stagingRoles.owner);
      try {
        onProgress({ step: "restore", message: `loading into ${fresh}`, total: backup.sqlBytes, unit: "bytes" });
        await load(staging, fresh, backup, onProgress, signal);
        const tables = await check(staging, fresh, backup, stack, signal);
        onProgress({ step: "restore", message: `switching ${fresh} to ${database}` });
        await switchDatabase(maintenance, { live: database, next: fresh, previous, standbys: replicaConnectionsOf(staging, "admin", "postgres") }, signal);
        return { file, durationMs: performance.now() - startedAt, tables, previous: replaces ? previous : undefined };
      } catch (error) {
        await discard(staging, fresh);
        throw error;
      }
    }),
  );
}

/**
 * Loads a backup into an empty database and checks it as a restore would, touching no other: whoever made the database drops it.
 * @returns rows by table, as counted after loading.
 * @throws UnderstudyError as {@link restoreBackup}.
 */
export async function loadBackup(
  options: Pick<RestoreBackup, "staging" | "stack" | "signal"> & { readonly backup: VerifiedBackup; readonly into: string },
): Promise<Record<string, number>> {
  const { staging, backup, into, stack, signal } = options;
  await load(staging, into, backup, silent, signal);
  return check(staging, into, backup, stack, signal);
}

async function load(
  staging: StagingDatabase,
  fresh: string,
  backup: VerifiedBackup,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  const psql = await startClientProgram("psql", connectionOf(staging, "admin", fresh), [
    "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--single-transaction", "--output=/dev/null", "--file=-",
  ]);
  psql.stdout.resume();
  let done = 0;
  async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      done += chunk.length;
      onProgress({ step: "restore", message: "loading", done, total: backup.sqlBytes, unit: "bytes" });
      yield chunk;
    }
  }
  try {
    await pipeline(createReadStream(backup.file), createGunzip(), counted, psql.stdin, signal === undefined ? {} : { signal });
  } catch (cause) {
    if (signal?.aborted === true) {
      psql.kill();
      throw interrupted("The restore");
    }
    // A psql that gave up closes its input; what it said is the reason.
    await psql.ended;
    throw new UnderstudyError(`The backup could not be loaded: ${messageOf(cause)}.`, { exitCode: exitCode.provisioning, cause });
  }
  await psql.ended;
}

async function check(
  staging: StagingDatabase,
  fresh: string,
  backup: VerifiedBackup,
  stack: string,
  signal: AbortSignal | undefined,
): Promise<Record<string, number>> {
  const settings = connectionOf(staging, "admin", fresh);
  return withSession(settings, { applicationName: "understudy restore", signal }, async (client: Client) => {
    requireMarker(await markerOf(client), settings, stack);
    await claimDatabase(client, fresh);
    await client.query("ANALYZE");
    const tables = await countRows(client);
    const expected = backup.trailer?.tables ?? tables;
    const wrong = [...new Set([...Object.keys(expected), ...Object.keys(tables)])].filter((name) => expected[name] !== tables[name]);
    if (wrong.length === 0) return tables;
    const which = wrong.map((name) => `${name} has ${tables[name] ?? "no"} rows, expected ${expected[name] ?? "no such table"}`);
    throw new UnderstudyError(`The restored database is not the one that was backed up: ${which.join("; ")}.`, {
      exitCode: exitCode.checkFailed,
      remedy: "Use another backup.",
    });
  });
}

async function discard(staging: StagingDatabase, fresh: string): Promise<void> {
  await withSession(connectionOf(staging, "admin", "postgres"), { applicationName: "understudy restore" }, (client) =>
    dropDatabase(client, fresh),
  ).catch(() => {});
}
