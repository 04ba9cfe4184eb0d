import type { Client } from "pg";
import { quoteIdentifier } from "../postgres/identifier.ts";
import { rowAlias } from "../masking/compile.ts";
import { fromTable } from "./catalog.ts";
import type { Column, Table } from "./catalog.ts";
import { rangeSql } from "./maskedRows.ts";
import type { RowRange } from "./maskedRows.ts";
import { readRows } from "./readRows.ts";
import type { RowPace } from "./rowPace.ts";
import type { SourceSession } from "./sourceSession.ts";
import type { TableTreatment } from "./treatments.ts";

/** A sum over rows, the same in whatever order they are read. */
export interface Checksum {
  rows: number;
  sum: bigint;
}

/** How rows are hashed: both servers the same way. */
export type RowHash = "record" | "text";

/** Since version 14 a record is hashed as it is; hashing its text costs four times as much. */
const recordHashSince = 140_000;

export function rowHashOf(...serverVersions: readonly number[]): RowHash {
  return Math.min(...serverVersions) >= recordHashSince ? "record" : "text";
}

/** Columns that the copy neither masks nor changes. */
export function keptColumns(treatment: TableTreatment, changedLater: ReadonlySet<string>): Column[] {
  return treatment.columns.filter(({ column, mask }) => mask.keeps && !changedLater.has(column.name)).map(({ column }) => column);
}

/** Types of one hash on every server, whose equal values are written alike. An enum's hash is its number in one database. */
const hashedAsTheyAre = new Set(["int2", "int4", "int8", "text", "varchar", "uuid", "bool", "date", "time", "timestamp", "timestamptz", "numeric"]);

function hashSql(columns: readonly Column[], hash: RowHash): string {
  if (columns.length === 0) return "0::bigint";
  const values = columns.map(({ name, baseType }) => {
    const own = `${rowAlias}.${quoteIdentifier(name)}`;
    return hash === "text" || hashedAsTheyAre.has(baseType) ? own : `${own}::text`;
  });
  return hash === "record" ? `hash_record_extended(ROW(${values.join(", ")}), 0)` : `hashtextextended(ROW(${values.join(", ")})::text, 0)`;
}

async function sumSql(client: Client, columns: readonly Column[], hash: RowHash, from: string): Promise<Checksum> {
  const { rows } = await client.query<{ rows: number; sum: string }>(
    `SELECT count(*)::float8 AS rows, coalesce(sum(${hashSql(columns, hash)}), 0)::text AS sum FROM ${from}`,
  );
  return { rows: rows[0]?.rows ?? 0, sum: BigInt(rows[0]?.sum ?? 0) };
}

/** Rows and sum of the kept columns of some rows of the source; added up here where rows may only come at a pace. */
export async function sumRange(
  { client }: SourceSession,
  treatment: TableTreatment,
  changedLater: ReadonlySet<string>,
  range: RowRange,
  hash: RowHash,
  pace: RowPace | undefined,
): Promise<Checksum> {
  const columns = keptColumns(treatment, changedLater);
  if (pace === undefined) return sumSql(client, columns, hash, rangeSql(range));
  let sum = 0n;
  const reader = { value: (_column: number, bytes: Buffer, start: number) => void (sum += bytes.readBigInt64BE(start)), row: () => {} };
  const rows = await readRows(client, `SELECT ${hashSql(columns, hash)} FROM ${rangeSql(range)}`, reader, pace);
  return { rows, sum };
}

/** The same of a whole table of the target. */
export function sumTable(client: Client, table: Table, columns: readonly Column[], hash: RowHash): Promise<Checksum> {
  return sumSql(client, columns, hash, `${fromTable(table)} AS ${rowAlias}`);
}
