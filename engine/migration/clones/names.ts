import { createHash, randomBytes } from "node:crypto";

/** PostgreSQL cuts names at 63 bytes. */
const mostBytes = 63;
const suffix = /_rehearsal_([0-9a-f]{12})(?:_\d{1,3})?$/;

export function newRunId(): string {
  return randomBytes(6).toString("hex");
}

/** `staging_db_rehearsal_0a1b2c3d4e5f_3`: whose clone it is can be read from its name alone, from its first moment on. */
export function cloneName(database: string, runId: string, number: number): string {
  const tail = `_rehearsal_${runId}_${number}`;
  return `${prefixOf(database)}${tail}`;
}

/** Names a kept clone so that no later run takes it for a leftover. */
export function keptName(database: string, runId: string): string {
  return `${prefixOf(database)}_kept_${runId}`;
}

/** The run that made a clone of `database`; undefined for any other database. */
export function runOfClone(database: string, name: string): string | undefined {
  const run = suffix.exec(name)?.[1];
  return run !== undefined && name.startsWith(`${prefixOf(database)}_rehearsal_`) ? run : undefined;
}

/** Key of the advisory lock that a run holds, in the maintenance database, as long as it lives. */
export function runLockKey(runId: string): string {
  return createHash("sha256").update(`understudy rehearsal ${runId}`).digest().readBigInt64BE().toString();
}

function prefixOf(database: string): string {
  const room = mostBytes - "_rehearsal_".length - 12 - "_999".length;
  if (Buffer.byteLength(database) <= room) return database;
  return `${database.replaceAll(/[^A-Za-z0-9_]/g, "").slice(0, 20)}_${createHash("sha256").update(database).digest("hex").slice(0, 8)}`;
}
