import type { Client } from "pg";
import type { Change } from "../expectations.ts";
import { checksumOf, sameChecksum } from "./checksums.ts";
import type { ReadColumn } from "./checksums.ts";
import { differingColumns, differingRows } from "./rowDifference.ts";
import type { RowDifferences } from "./rowDifference.ts";
import type { Snapshot } from "./snapshot.ts";
import { fullName } from "./tables.ts";
import type { Column, Table } from "./tables.ts";

export interface UnchangedRows {
  readonly findings: readonly string[];
  readonly checkedTables: number;
  readonly checkedRows: number;
}

interface Pair {
  readonly before: Table;
  readonly after: Table;
  readonly left: readonly ReadColumn[];
  readonly right: readonly ReadColumn[];
  readonly change: Change | undefined;
}

/**
 * Compares every table's rows before and after a migration, but for what the migration may change. Renamed tables and
 * columns are followed, and a changed type is compared as the type it was before: what comes back different was cut or
 * shifted. Both sessions must have `canonicalOutput`.
 */
export async function unchangedRows(
  first: { readonly client: () => Promise<Client>; readonly snapshot: Snapshot },
  second: { readonly client: Client; readonly snapshot: Snapshot },
  changes: readonly Change[],
): Promise<UnchangedRows> {
  const findings: string[] = [];
  let checkedRows = 0;
  const allowed = new Map(changes.map((change) => [fullName(change.table), change]));
  for (const before of first.snapshot.tables) {
    const rowsBefore = first.snapshot.rows.get(before.name);
    const filled = typeof rowsBefore === "object" ? rowsBefore.rows : 0;
    checkedRows += filled;
    const after = counterpart(before, second.snapshot.tables);
    const change = allowed.get(before.name) ?? (after === undefined ? undefined : allowed.get(after.name));
    if (after === undefined) {
      if (filled > 0 && change === undefined) findings.push(`table ${before.name} is gone with its ${filled} rows`);
      continue;
    }
    const pair = pairOf(before, after, change);
    const untouched = pair.left.length === before.columns.length && pair.right.every(({ castTo }) => castTo === undefined) && before.columns.length === after.columns.length;
    if (untouched && sameChecksum(rowsBefore, second.snapshot.rows.get(after.name))) continue;
    findings.push(...(await findingsOf(await first.client(), second.client, pair)));
  }
  return { findings, checkedTables: first.snapshot.tables.length, checkedRows };
}

function counterpart(table: Table, others: readonly Table[]): Table | undefined {
  return others.find(({ name }) => name === table.name) ?? others.find(({ oid }) => oid === table.oid);
}

function pairOf(before: Table, after: Table, change: Change | undefined): Pair {
  const sameObject = before.oid === after.oid;
  const pairs = before.columns.flatMap((column): [Column, Column][] => {
    const other = after.columns.find(({ name }) => name === column.name) ?? (sameObject ? after.columns.find(({ number }) => number === column.number) : undefined);
    const free = change?.columns.includes(column.name) === true || (other !== undefined && change?.columns.includes(other.name) === true);
    return other === undefined || free ? [] : [[column, other]];
  });
  return {
    before,
    after,
    change,
    left: pairs.map(([{ name }]) => ({ name })),
    right: pairs.map(([was, is]) => ({ name: is.name, castTo: was.type === is.type ? undefined : was.type })),
  };
}

async function findingsOf(first: Client, second: Client, { before, after, left, right, change }: Pair): Promise<string[]> {
  const freeRows = change?.rows ?? [];
  const one = await checksumOf(first, before.name, left);
  const other = await checksumOf(second, after.name, right);
  if (sameChecksum(one, other)) return [];
  if (typeof other === "string" || typeof one === "string") return [`${after.name}: values cannot be read back as before: ${typeof other === "string" ? other : String(one)}`];
  const keyKept = before.key.every((name) => left.some((column) => column.name === name) && right.some((column) => column.name === name));
  const differences = await differingRows(
    { client: first, table: before.name, columns: left },
    { client: second, table: after.name, columns: right },
    keyKept ? before.key : [],
    1_000,
  );
  return describeRows(before, differences, freeRows, await differingColumns({ client: first, table: before.name, columns: left }, { client: second, table: after.name, columns: right }));
}

function describeRows(table: Table, { rows, total }: RowDifferences, freeRows: Change["rows"], columns: readonly string[]): string[] {
  const words = { changed: "changed", missing: "gone", added: "new" } as const;
  return (["changed", "missing", "added"] as const).flatMap((change) => {
    if ((change === "missing" && freeRows.includes("delete")) || (change === "added" && freeRows.includes("insert"))) return [];
    const of = rows.filter((row) => row.change === change);
    if (of.length === 0) return [];
    const count = total > rows.length ? `at least ${of.length}` : String(of.length);
    const where = change === "changed" && columns.length > 0 ? ` in ${columns.join(", ")}` : "";
    return [`${table.name}: ${count} ${of.length === 1 ? "row" : "rows"} ${words[change]}${where}, by key ${of.slice(0, 5).map(({ key }) => key).join(", ")}${of.length > 5 ? ", …" : ""}`];
  });
}
