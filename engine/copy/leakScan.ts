import type { Client } from "pg";
import { mailDomain } from "../masking/identityMasks.ts";
import { quoteIdentifier, quoteLiteral } from "../postgres/identifier.ts";
import { tableKey } from "./catalog.ts";
import type { LeakProbes } from "./leakProbes.ts";
import { LeakSearch } from "./leakSearch.ts";
import type { Leak } from "./leakSearch.ts";
import type { Writing } from "./leakText.ts";
import { blockRanges } from "./ranges.ts";
import { readRows } from "./readRows.ts";
import { workThrough } from "./workers.ts";

export interface LeakScan {
  readonly originals: readonly Leak[];
  readonly emails: readonly Leak[];
  /** Values that are an original's digits, no more of them than chance explains. */
  readonly byChance: number;
  readonly columns: number;
  /** That were read here: where there is no original to look for, only what the server finds suspicious. */
  readonly values: number;
}

interface ScannedRelation {
  readonly schema: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly columns: readonly { readonly name: string; readonly isBytes: boolean; readonly writing: Writing }[];
}

/** All that can hold text, JSON, arrays and bytes included; numbers, dates, flags and enum labels cannot. */
const relationsSql = (withUuids: boolean): string => `
  SELECT n.nspname::text AS schema, c.relname::text AS name, pg_relation_size(c.oid)::float8 AS "sizeBytes",
         json_agg(json_build_object('name', a.attname, 'isBytes', a.atttypid = 'bytea'::regtype,
           'writing', CASE WHEN b.oid IN ('json'::regtype, 'jsonb'::regtype) THEN 'json' WHEN b.typcategory = 'A' THEN 'array' ELSE 'plain' END) ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid JOIN pg_type b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
    LEFT JOIN pg_type e ON e.oid = b.typelem AND b.typcategory = 'A'
   WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     AND a.attnum > 0 AND NOT a.attisdropped AND coalesce(e.typcategory, t.typcategory) NOT IN ('N', 'B', 'D', 'T', 'E')
     ${withUuids ? "" : "AND coalesce(e.oid, t.oid) <> 'uuid'::regtype"}
   GROUP BY 1, 2, 3 ORDER BY 3 DESC, 1, 2`;

/** Reads every text of a database and looks for originals, and for email addresses that are not staging's. */
export async function scanForLeaks(clients: readonly Client[], probes: LeakProbes): Promise<LeakScan> {
  const [first] = clients;
  if (first === undefined) throw new Error("no session to scan with");
  const { rows: relations } = await first.query<ScannedRelation>(relationsSql(probes.hasUuids));
  const { rows: settings } = await first.query<{ encoding: string; version: number }>(
    "SELECT current_setting('server_encoding') AS encoding, current_setting('server_version_num')::int AS version",
  );
  const { encoding = "UTF8", version = 0 } = settings[0] ?? {};
  // Hashes are of the bytes that the servers hold.
  for (const client of clients) await client.query(`SET client_encoding = '${encoding}'`);
  const search = new LeakSearch(probes, { hasWideCharacters: encoding === "UTF8" });
  let values = 0;
  const tasks = relations.flatMap((relation) => {
    const places = relation.columns.map(({ name }) => search.addPlace(`${tableKey(relation.schema, relation.name)}.${name}`));
    return blockRanges(relation.sizeBytes, version).map((blocks) => ({ relation, places, blocks }));
  });
  await workThrough(tasks, clients, async ({ relation, places, blocks }, client) => {
    await readRows(client, textsSql(relation, blocks, probes.originals.size > 0), {
      value: (column, bytes, start, end) => {
        values += 1;
        search.read(places[column] ?? 0, bytes, start, end, relation.columns[column]?.writing ?? "plain");
      },
      row: () => {},
    });
  });
  for (const client of clients) await client.query("RESET client_encoding");
  const columns = relations.reduce((sum, relation) => sum + relation.columns.length, 0);
  const { leaks, byChance } = search.originals();
  return { originals: leaks, emails: search.emails(), byChance, columns, values };
}

/** @param isWhole every value; else only what may hold an address that is not staging's, which the server finds at a tenth of the cost */
function textsSql({ schema, name, columns }: ScannedRelation, blocks: { readonly from: number; readonly to: number } | undefined, isWhole: boolean): string {
  const texts = columns.map((column) => (column.isBytes ? quoteIdentifier(column.name) : `${quoteIdentifier(column.name)}::text`));
  const suspicions = columns.map((column) => suspicionSql(column.isBytes ? `encode(${quoteIdentifier(column.name)}, 'escape')` : `${quoteIdentifier(column.name)}::text`));
  const conditions = [
    ...(blocks === undefined ? [] : [`ctid >= '(${blocks.from},0)'::tid AND ctid < '(${blocks.to},0)'::tid`]),
    ...(isWhole ? [] : [`(${suspicions.join(" OR ")})`]),
  ];
  const values = isWhole ? texts : texts.map((text, index) => `CASE WHEN ${suspicions[index]} THEN ${text} END`);
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  return `SELECT ${values.join(", ")} FROM ONLY ${quoteIdentifier(schema)}.${quoteIdentifier(name)}${where}`;
}

/** An @, unless it is the only one and staging's domain follows to the end. */
function suspicionSql(text: string): string {
  const value = `(${text}) COLLATE "C"`;
  return `(${value} LIKE '%@%' AND (${value} NOT LIKE ${quoteLiteral(`%@${mailDomain}`)} OR ${value} LIKE '%@%@%'))`;
}
