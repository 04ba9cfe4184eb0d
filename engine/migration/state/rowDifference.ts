import Cursor from "pg-cursor";
import type { Client } from "pg";
import { quoteIdentifier } from "../../postgres/identifier.ts";
import { checksumOf, rowHash, sameChecksum } from "./checksums.ts";
import type { ReadColumn } from "./checksums.ts";

/** One row that is not the same on both sides, by its key. */
export interface RowDifference {
  readonly key: string;
  readonly change: "missing" | "added" | "changed";
}

export interface Side {
  readonly client: Client;
  /** Quoted, with its schema. */
  readonly table: string;
  readonly columns: readonly ReadColumn[];
}

export interface RowDifferences {
  /** The first of them, at most `most`. */
  readonly rows: readonly RowDifference[];
  readonly total: number;
}

interface Keyed {
  readonly key: string;
  readonly hash: string;
}

/**
 * Walks two tables, in two databases, side by side in the order of their key; memory stays flat.
 * A table without a key is compared by its rows' hashes, which then name them.
 */
export async function differingRows(before: Side, after: Side, key: readonly string[], most = 20): Promise<RowDifferences> {
  const left = readOrdered(before, key);
  const right = readOrdered(after, key);
  const rows: RowDifference[] = [];
  let total = 0;
  const found = (difference: RowDifference): void => {
    total += 1;
    if (rows.length < most) rows.push(difference);
  };
  try {
    let [one, other] = [await left.next(), await right.next()];
    while (one.done !== true || other.done !== true) {
      if (other.done === true || (one.done !== true && compareBytes(one.value.key, other.value.key) < 0)) {
        if (one.done !== true) found({ key: one.value.key, change: "missing" });
        one = await left.next();
      } else if (one.done === true || compareBytes(one.value.key, other.value.key) > 0) {
        found({ key: other.value.key, change: "added" });
        other = await right.next();
      } else {
        if (one.value.hash !== other.value.hash) found({ key: one.value.key, change: "changed" });
        [one, other] = [await left.next(), await right.next()];
      }
    }
  } finally {
    await left.return(undefined);
    await right.return(undefined);
  }
  return { rows, total };
}

/** Which columns' values differ, columns taken in pairs; none where rows came or went, for then all would. */
export async function differingColumns(before: Side, after: Side): Promise<string[]> {
  const names: string[] = [];
  for (const [index, column] of before.columns.entries()) {
    const other = after.columns[index];
    if (other === undefined) continue;
    const [one, two] = [await checksumOf(before.client, before.table, [column]), await checksumOf(after.client, after.table, [other])];
    if (typeof one === "object" && typeof two === "object" && one.rows !== two.rows) return [];
    if (!sameChecksum(one, two)) names.push(column.name);
  }
  return names;
}

async function* readOrdered({ client, table, columns }: Side, key: readonly string[]): AsyncGenerator<Keyed, void, undefined> {
  const hash = rowHash(columns);
  const name = key.length === 0 ? `${hash}::text` : key.length === 1 ? `${quoteIdentifier(key[0] ?? "")}::text` : `ROW(${key.map(quoteIdentifier).join(", ")})::text`;
  const cursor = client.query(new Cursor<Keyed>(`SELECT ${name} AS key, ${hash}::text AS hash FROM ${table} ORDER BY ${name} COLLATE "C", 2`));
  try {
    for (;;) {
      const rows = await cursor.read(1_000);
      if (rows.length === 0) return;
      yield* rows;
    }
  } finally {
    await cursor.close();
  }
}

/** As `COLLATE "C"` orders UTF-8. */
function compareBytes(one: string, other: string): number {
  return one === other ? 0 : Buffer.compare(Buffer.from(one), Buffer.from(other));
}
