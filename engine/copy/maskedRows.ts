import { quoteIdentifier, quoteLiteral } from "../postgres/identifier.ts";
import { rowAlias } from "../masking/compile.ts";
import { fromLeaf } from "./catalog.ts";
import type { Leaf } from "./catalog.ts";
import type { TableTreatment, Treatment } from "./treatments.ts";

/** Some rows of one relation: chosen ones, a range of its blocks, or all. */
export interface RowRange {
  readonly leaf: Leaf;
  /** As PostgreSQL reads tid[]. */
  readonly tids?: string;
  readonly blocks?: { readonly from: number; readonly to: number };
  /** Rows known beforehand. */
  readonly rows?: number;
}

/** What comes after FROM: the rows under alias `t`. `sample` takes that share of the relation's blocks, percent. */
export function rangeSql(range: RowRange, sample?: number): string {
  const from = `${fromLeaf(range.leaf)} AS ${rowAlias}${sample === undefined ? "" : ` TABLESAMPLE SYSTEM (${sample}) REPEATABLE (1)`}`;
  if (range.tids !== undefined) return `${from} WHERE ${rowAlias}.ctid = ANY (${quoteLiteral(range.tids)}::tid[])`;
  if (range.blocks === undefined) return from;
  return `${from} WHERE ${rowAlias}.ctid >= '(${range.blocks.from},0)'::tid AND ${rowAlias}.ctid < '(${range.blocks.to},0)'::tid`;
}

/**
 * A SELECT of expressions over masked rows. Each hash is computed once a row, in a subquery that the planner
 * must not flatten (OFFSET 0), beside the original columns.
 */
export function overHashedRows(columns: readonly Treatment[], expressions: string, range: RowRange, sample?: number): string {
  const hashes = new Map(columns.flatMap(({ mask }) => [...mask.hashes]));
  if (hashes.size === 0) return `SELECT ${expressions} FROM ${rangeSql(range, sample)}`;
  const computed = [...hashes].map(([alias, sql]) => `${sql} AS ${quoteIdentifier(alias)}`).join(", ");
  return `SELECT ${expressions} FROM (SELECT ${rowAlias}.*, ${computed} FROM ${rangeSql(range, sample)} OFFSET 0) AS ${rowAlias}`;
}

/** The masked rows, each column under its own name. */
export function maskedRowsSql({ columns }: TableTreatment, range: RowRange, sample?: number): string {
  const expressions = columns.map(({ column, mask }) => `${mask.sql} AS ${quoteIdentifier(column.name)}`).join(", ");
  return overHashedRows(columns, expressions, range, sample);
}

/** The column list of COPY, in brackets; none for a table without columns of its own to fill, whose rows are copied all the same. */
export function columnList({ columns }: TableTreatment): string {
  return columns.length === 0 ? "" : `(${columns.map(({ column }) => quoteIdentifier(column.name)).join(", ")})`;
}
