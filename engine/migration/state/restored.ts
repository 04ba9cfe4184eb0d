import type { Client } from "pg";
import { checksumOf, sameChecksum } from "./checksums.ts";
import { differingRows } from "./rowDifference.ts";
import type { Snapshot } from "./snapshot.ts";
import { rowsOf } from "./snapshot.ts";
import type { Table } from "./tables.ts";

export interface Side {
  readonly snapshot: Snapshot;
  /** Opened only when rows have to be compared one by one. */
  readonly client: () => Promise<Client>;
}

/**
 * Compares all rows of two states of the same schema.
 *
 * @param ignored columns of a table, by its full name, that need not agree
 * @returns one finding per table, with the keys of the rows that differ
 */
export async function differencesInRows(before: Side, after: Side, ignored: (table: Table) => readonly string[]): Promise<string[]> {
  const findings: string[] = [];
  for (const table of before.snapshot.tables) {
    const other = after.snapshot.tables.find(({ name }) => name === table.name);
    if (other === undefined || sameChecksum(before.snapshot.rows.get(table.name), after.snapshot.rows.get(table.name))) continue;
    const left = ignored(table);
    const columns = table.columns.filter(({ name }) => !left.includes(name) && other.columns.some((column) => column.name === name));
    const [one, two] = [await before.client(), await after.client()];
    const sums = [await checksumOf(one, table.name, columns), await checksumOf(two, table.name, columns)];
    if (sameChecksum(sums[0], sums[1])) continue;
    const key = table.key.every((name) => !left.includes(name)) ? table.key : [];
    const { rows, total } = await differingRows({ client: one, table: table.name, columns }, { client: two, table: table.name, columns }, key);
    const named = rows.slice(0, 5).map((row) => `${row.key} ${row.change}`);
    findings.push(`${table.name}: ${total} of ${Math.max(rowsOf(before.snapshot, table.name), rowsOf(after.snapshot, table.name))} rows differ, by key ${named.join(", ")}${total > named.length ? ", …" : ""}`);
  }
  return findings;
}

/** Columns filled anew with every write, in tables that got rows from the migration: two runs cannot agree on them. */
export function writtenAnew(before: Snapshot, after: Snapshot): (table: Table) => readonly string[] {
  return (table) => (rowsOf(after, table.name) > rowsOf(before, table.name) ? table.columns.filter(({ isVolatile }) => isVolatile).map(({ name }) => name) : []);
}
