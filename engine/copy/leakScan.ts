import type { Client } from "pg";
import Cursor from "pg-cursor";
import { quoteIdentifier } from "../postgres/identifier.ts";
import { foreignEmails } from "./leakIndex.ts";
import type { LeakProbes } from "./leakProbes.ts";
import { tableKey } from "./catalog.ts";

/** Where something stands that should have stayed in production; never what. */
export interface Leak {
  readonly column: string;
  /** The masked column whose originals these are; undefined for email addresses. */
  readonly origin: string | undefined;
  readonly rows: number;
}

export interface LeakScan {
  readonly originals: readonly Leak[];
  readonly emails: readonly Leak[];
  readonly columns: number;
  readonly values: number;
}

interface ScannedRelation {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly isBytes: boolean }[];
}

/** All that can hold text, JSON, arrays and bytes included; numbers, dates, flags and enum labels cannot. */
const relationsSql = (withUuids: boolean): string => `
  SELECT n.nspname::text AS schema, c.relname::text AS name,
         json_agg(json_build_object('name', a.attname, 'isBytes', a.atttypid = 'bytea'::regtype) ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
   WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     AND a.attnum > 0 AND NOT a.attisdropped AND t.typcategory NOT IN ('N', 'B', 'D', 'T', 'E')
     ${withUuids ? "" : "AND a.atttypid <> 'uuid'::regtype"}
   GROUP BY 1, 2 ORDER BY 1, 2`;

const rowsAtATime = 100;

/** Reads every text of a database and looks for originals, and for email addresses that are not staging's. */
export async function scanForLeaks(
  client: Client,
  { index, hasUuids }: Pick<LeakProbes, "index" | "hasUuids">,
  signal?: AbortSignal,
): Promise<LeakScan> {
  const { rows: relations } = await client.query<ScannedRelation>(relationsSql(hasUuids));
  const originals = new Map<string, Leak>();
  const emails = new Map<string, Leak>();
  let values = 0;
  for (const relation of relations) {
    const names = relation.columns.map((column) => `${tableKey(relation.schema, relation.name)}.${column.name}`);
    for await (const row of textsOf(client, relation)) {
      if (signal?.aborted === true) break;
      for (const [position, text] of row.entries()) {
        if (text === null || text === "") continue;
        values += 1;
        const column = names[position] ?? "";
        for (const origin of index.originsIn(text)) note(originals, `${column} ${origin}`, { column, origin });
        if (foreignEmails(text) > 0) note(emails, column, { column, origin: undefined });
      }
    }
  }
  const columns = relations.reduce((sum, relation) => sum + relation.columns.length, 0);
  return { originals: [...originals.values()], emails: [...emails.values()], columns, values };
}

function note(leaks: Map<string, Leak>, key: string, found: Omit<Leak, "rows">): void {
  leaks.set(key, { ...found, rows: (leaks.get(key)?.rows ?? 0) + 1 });
}

async function* textsOf(client: Client, relation: ScannedRelation): AsyncGenerator<(string | null)[]> {
  const texts = relation.columns.map(({ name, isBytes }) => (isBytes ? `encode(${quoteIdentifier(name)}, 'escape')` : `${quoteIdentifier(name)}::text`));
  const from = `ONLY ${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`;
  const cursor = client.query(new Cursor<(string | null)[]>(`SELECT ${texts.join(", ")} FROM ${from}`, [], { rowMode: "array" }));
  try {
    for (let rows = await cursor.read(rowsAtATime); rows.length > 0; rows = await cursor.read(rowsAtATime)) yield* rows;
  } finally {
    await cursor.close();
  }
}
