import { quoteIdentifier } from "../postgres/identifier.ts";
import { rowAlias } from "../masking/compile.ts";
import { fromTable } from "./catalog.ts";
import type { Column, Table } from "./catalog.ts";
import { rangeSql } from "./maskedRows.ts";
import type { RowRange } from "./maskedRows.ts";
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

function sums(columns: readonly Column[], hash: RowHash): string {
  const values = columns.map(({ name, baseType }) => {
    const own = `${rowAlias}.${quoteIdentifier(name)}`;
    return hash === "text" || hashedAsTheyAre.has(baseType) ? own : `${own}::text`;
  });
  const hashed = hash === "record" ? `hash_record_extended(ROW(${values.join(", ")}), 0)` : `hashtextextended(ROW(${values.join(", ")})::text, 0)`;
  const sum = columns.length === 0 ? "'0'" : `coalesce(sum(${hashed}), 0)::text`;
  return `count(*)::float8 AS rows, ${sum} AS sum`;
}

/** Rows and sum of the kept columns of some rows of the source. */
export function checksumSql(treatment: TableTreatment, changedLater: ReadonlySet<string>, range: RowRange, hash: RowHash): string {
  return `SELECT ${sums(keptColumns(treatment, changedLater), hash)} FROM ${rangeSql(range)}`;
}

/** The same of a whole table of the target. */
export function tableChecksumSql(table: Table, columns: readonly Column[], hash: RowHash): string {
  return `SELECT ${sums(columns, hash)} FROM ${fromTable(table)} AS ${rowAlias}`;
}
