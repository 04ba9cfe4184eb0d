import type { Client } from "pg";
import { checksumAll } from "./checksums.ts";
import type { RowChecksum } from "./checksums.ts";
import { compareSchemas, readSchema, tableOfColumn } from "./schema.ts";
import type { SchemaFingerprint } from "./schema.ts";
import { readSequences } from "./sequences.ts";
import type { SequenceState } from "./sequences.ts";
import { readTables } from "./tables.ts";
import type { Table } from "./tables.ts";

/** A database at one moment: what it is made of, and a checksum of every table's rows. */
export interface Snapshot {
  readonly schema: SchemaFingerprint;
  readonly tables: readonly Table[];
  /** By table name, over all columns. */
  readonly rows: ReadonlyMap<string, RowChecksum | string>;
  readonly sequences: readonly SequenceState[];
}

/**
 * Takes a snapshot; the session must have `canonicalOutput`.
 * @param earlier one of the same database: tables that were not written since keep their checksum, see {@link untouched}
 */
export async function takeSnapshot(client: Client, earlier?: Snapshot): Promise<Snapshot> {
  const countsAreIn = earlier !== undefined && (await countsArrived(client));
  const schema = await readSchema(client);
  const tables = await readTables(client);
  const known = earlier === undefined || !countsAreIn ? new Map<string, RowChecksum | string>() : untouched(earlier, { schema, tables });
  return { schema, tables, rows: await checksumAll(client, tables, () => [], known), sequences: await readSequences(client) };
}

/**
 * Checksums of tables that cannot have other rows than before: the same table in the same file with the same columns, and the
 * server counted no row version written. None at all when a type or function changed, for then the same rows may read otherwise.
 */
export function untouched(earlier: Snapshot, now: Pick<Snapshot, "schema" | "tables">): Map<string, RowChecksum | string> {
  const names = new Set([...earlier.tables, ...now.tables].map(({ name }) => name));
  const readsOtherwise = compareSchemas(earlier.schema, now.schema).some(
    ({ kind, name }) => ["type", "function", "extension"].includes(kind) || (kind === "column" && !names.has(tableOfColumn(name))),
  );
  if (readsOtherwise) return new Map();
  const same = (one: Table, other: Table | undefined) =>
    one.written !== undefined &&
    other?.written === one.written &&
    other.oid === one.oid &&
    other.fileNode === one.fileNode &&
    JSON.stringify(other.columns) === JSON.stringify(one.columns);
  const kept = now.tables.filter((table) => same(table, earlier.tables.find(({ name }) => name === table.name)));
  return new Map(kept.flatMap(({ name }) => [[name, earlier.rows.get(name)] as const]).filter((entry): entry is [string, RowChecksum | string] => entry[1] !== undefined));
}

/** A session hands its counts in when it ends: true once nobody but our own readers is connected. */
async function countsArrived(client: Client): Promise<boolean> {
  for (const deadline = performance.now() + 2_000; performance.now() < deadline; ) {
    const { rowCount } = await client.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
          AND application_name !~ '^understudy (observer|scenario)'`,
    );
    if (rowCount === 0) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}

/** Rows of a table in a snapshot; 0 when it has no such table. */
export function rowsOf(snapshot: Snapshot, table: string): number {
  const checksum = snapshot.rows.get(table);
  return typeof checksum === "object" ? checksum.rows : 0;
}
