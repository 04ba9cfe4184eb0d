import type { Client } from "pg";
import { quoteIdentifier } from "../../postgres/identifier.ts";
import { checksumOf, sameChecksum } from "./checksums.ts";
import { differingColumns, differingRows } from "./rowDifference.ts";
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
    const [first, second] = [{ client: one, table: table.name, columns }, { client: two, table: table.name, columns }];
    const { rows, total } = await differingRows(first, second, key);
    const named = rows.slice(0, 5).map((row) => `${row.key} ${row.change}`);
    const where = await differingColumns(first, second);
    findings.push(`${table.name}: ${total} of ${Math.max(rowsOf(before.snapshot, table.name), rowsOf(after.snapshot, table.name))} rows differ${where.length === 0 ? "" : ` in ${where.join(", ")}`}, by key ${named.join(", ")}${total > named.length ? ", …" : ""}`);
  }
  return findings;
}

/** By table, columns in which two runs of the same migration from the same state cannot agree. */
export type WrittenAnew = (table: Table) => readonly string[];

/**
 * Finds what a run fills anew each time: in tables that got rows, columns whose default is a clock, a sequence or a random value;
 * elsewhere such columns where they are new; and everywhere columns of dates and times that hold the time of the run itself.
 * @param run its beginning and the time zone of its session, as the server says them
 */
export async function writtenAnew(client: Client, before: Snapshot, after: Snapshot, run: { readonly since: string; readonly timeZone: string }): Promise<WrittenAnew> {
  const columns = new Map<string, readonly string[]>();
  for (const table of after.tables) {
    if (sameChecksum(before.rows.get(table.name), after.rows.get(table.name))) continue;
    const old = before.tables.find(({ name }) => name === table.name);
    const grew = rowsOf(after, table.name) > rowsOf(before, table.name);
    const generated = table.columns.filter(({ name, isVolatile }) => isVolatile && (grew || old?.columns.every((column) => column.name !== name) === true));
    const times = await columnsOfTheRun(client, table, run);
    columns.set(table.name, [...new Set([...generated.map(({ name }) => name), ...times])]);
  }
  return ({ name }) => columns.get(name) ?? [];
}

async function columnsOfTheRun(client: Client, table: Table, { since, timeZone }: { readonly since: string; readonly timeZone: string }): Promise<string[]> {
  const moments = table.columns.filter(({ type }) => /^(?:timestamp|date)\b/.test(type));
  if (moments.length === 0) return [];
  const within = moments.map(({ name, type }) => {
    const column = quoteIdentifier(name);
    if (type.endsWith("with time zone")) return `${column} BETWEEN $1::timestamptz - interval '1 s' AND clock_timestamp()`;
    const local = type.startsWith("date") ? "date" : "timestamp";
    return `${column} BETWEEN (($1::timestamptz - interval '1 s') AT TIME ZONE $2::text)::${local} AND (clock_timestamp() AT TIME ZONE $2::text)::${local}`;
  });
  const { rows } = await client.query<(boolean | null)[]>({ text: `SELECT $1::text IS NOT NULL AND $2::text IS NOT NULL, ${within.map((condition) => `bool_or(${condition})`).join(", ")} FROM ${table.name}`, values: [since, timeZone], rowMode: "array" });
  return moments.filter((_, index) => rows[0]?.[index + 1] === true).map(({ name }) => name);
}
