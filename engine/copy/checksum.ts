import { quoteIdentifier } from "../postgres/identifier.ts";
import { rowAlias } from "../masking/compile.ts";
import { fromTable } from "./catalog.ts";
import type { Table } from "./catalog.ts";
import { rangeSql } from "./maskedRows.ts";
import type { RowRange } from "./maskedRows.ts";
import type { TableTreatment } from "./treatments.ts";

/** A sum over rows, the same in whatever order they are read. */
export interface Checksum {
  rows: number;
  sum: bigint;
}

/** Columns that the copy neither masks nor changes. */
export function keptColumns(treatment: TableTreatment, changedLater: ReadonlySet<string>): string[] {
  return treatment.columns.filter(({ column, mask }) => mask.keeps && !changedLater.has(column.name)).map(({ column }) => column.name);
}

function sums(columns: readonly string[]): string {
  const row = columns.map((name) => `${rowAlias}.${quoteIdentifier(name)}`).join(", ");
  return `count(*)::float8 AS rows, coalesce(sum(hashtextextended(ROW(${row})::text, 0)::numeric), 0)::text AS sum`;
}

/** Rows and sum of the kept columns of some rows of the source. */
export function checksumSql(treatment: TableTreatment, changedLater: ReadonlySet<string>, range: RowRange): string {
  return `SELECT ${sums(keptColumns(treatment, changedLater))} FROM ${rangeSql(range)}`;
}

/** The same of a whole table of the target. */
export function tableChecksumSql(table: Table, columns: readonly string[]): string {
  return `SELECT ${sums(columns)} FROM ${fromTable(table)} AS ${rowAlias}`;
}
