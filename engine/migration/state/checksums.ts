import type { Client } from "pg";
import { messageOf } from "../../errors.ts";
import { quoteIdentifier } from "../../postgres/identifier.ts";
import type { Table } from "./tables.ts";

/** A column to read, written as the type it had at first, so that a change of type that loses nothing compares equal. */
export interface ReadColumn {
  readonly name: string;
  readonly castTo?: string | undefined;
}

export interface RowChecksum {
  readonly rows: number;
  /** Sum of the rows' hashes: independent of their order. */
  readonly sum: string;
}

/** The text of a row's hash, 64 bits, in SQL. */
export function rowHash(columns: readonly ReadColumn[]): string {
  if (columns.length === 0) return "0::int8";
  const values = columns.map(({ name, castTo }) => (castTo === undefined ? quoteIdentifier(name) : `${quoteIdentifier(name)}::${castTo}`));
  return `hashtextextended(ROW(${values.join(", ")})::text, 0)`;
}

/**
 * Count and checksum of a table's rows over some of its columns; the session must have `canonicalOutput`.
 * Returns why instead when a value cannot be written as the type it had at first.
 */
export async function checksumOf(client: Client, tableName: string, columns: readonly ReadColumn[]): Promise<RowChecksum | string> {
  try {
    const { rows } = await client.query<{ rows: string; sum: string }>(
      `SELECT count(*)::text AS rows, coalesce(sum(${rowHash(columns)}), 0)::text AS sum FROM ${tableName}`,
    );
    return { rows: Number(rows[0]?.rows ?? 0), sum: rows[0]?.sum ?? "0" };
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * All tables' checksums over all their columns, but those in `without`.
 * @param known checksums over all columns, taken over where nothing is left out
 */
export async function checksumAll(
  client: Client,
  tables: readonly Table[],
  without: (table: Table) => readonly string[] = () => [],
  known: ReadonlyMap<string, RowChecksum | string> = new Map(),
): Promise<ReadonlyMap<string, RowChecksum | string>> {
  const sums = new Map<string, RowChecksum | string>();
  for (const table of tables) {
    const left = without(table);
    const taken = left.length === 0 ? known.get(table.name) : undefined;
    sums.set(table.name, taken ?? (await checksumOf(client, table.name, table.columns.filter(({ name }) => !left.includes(name)))));
  }
  return sums;
}

export function sameChecksum(one: RowChecksum | string | undefined, other: RowChecksum | string | undefined): boolean {
  return typeof one === "object" && typeof other === "object" && one.rows === other.rows && one.sum === other.sum;
}
