import type { Client } from "pg";
import { checksumAll } from "./checksums.ts";
import type { RowChecksum } from "./checksums.ts";
import { readSchema } from "./schema.ts";
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

/** Takes a snapshot; the session must have `canonicalOutput`. */
export async function takeSnapshot(client: Client): Promise<Snapshot> {
  const schema = await readSchema(client);
  const tables = await readTables(client);
  return { schema, tables, rows: await checksumAll(client, tables), sequences: await readSequences(client) };
}

/** Rows of a table in a snapshot; 0 when it has no such table. */
export function rowsOf(snapshot: Snapshot, table: string): number {
  const checksum = snapshot.rows.get(table);
  return typeof checksum === "object" ? checksum.rows : 0;
}
