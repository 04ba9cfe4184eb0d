import type { Client } from "pg";
import { quoteIdentifier } from "../../postgres/identifier.ts";

export interface Column {
  readonly name: string;
  /** As `format_type` writes it. */
  readonly type: string;
  readonly number: number;
  /** Filled anew with every write of a row: an identity, a sequence, a clock, a random value. */
  readonly isVolatile: boolean;
}

/** A table that holds rows of its own; partitions each for themselves. */
export interface Table {
  readonly oid: number;
  /** Quoted, with its schema: `public."User"`. */
  readonly name: string;
  readonly columns: readonly Column[];
  /** Columns of the primary key, or of a unique index without NULLs; empty when there is neither. */
  readonly key: readonly string[];
  /** The planner's guess, -1 when it never looked. */
  readonly estimatedRows: number;
  readonly sizeBytes: number;
  readonly fileNode: number;
  /** Row versions ever inserted, updated and deleted, as the server counts them; undefined where it may lose count. */
  readonly written: string | undefined;
}

const tablesSql = `
  SELECT c.oid::int8::text AS oid, format('%I.%I', n.nspname, c.relname) AS name, c.reltuples::float8 AS "estimatedRows",
         pg_table_size(c.oid)::text AS "sizeBytes", c.relfilenode::int8::text AS "fileNode",
         CASE WHEN current_setting('server_version_num')::int >= 150000 AND current_setting('track_counts')::bool
              THEN concat_ws(' ', pg_stat_get_tuples_inserted(c.oid), pg_stat_get_tuples_updated(c.oid), pg_stat_get_tuples_deleted(c.oid)) END AS written,
         (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'number', a.attnum,
                   'isVolatile', a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid), '') ~
                     '(nextval|now|clock_timestamp|transaction_timestamp|statement_timestamp|CURRENT_TIMESTAMP|LOCALTIMESTAMP|CURRENT_DATE|random|uuid|ulid)')
                   ORDER BY a.attname)
            FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
         (SELECT json_agg(a.attname ORDER BY k.place)
            FROM (SELECT i.indexrelid, i.indkey::int2[] AS keys FROM pg_index i
                   WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
                     AND NOT EXISTS (SELECT FROM pg_attribute x WHERE x.attrelid = c.oid AND x.attnum = ANY (i.indkey) AND NOT x.attnotnull)
                   ORDER BY i.indisprimary DESC, i.indnatts, i.indexrelid LIMIT 1) chosen,
                 unnest(chosen.keys) WITH ORDINALITY AS k(number, place)
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number) AS key
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
   ORDER BY 2`;

interface TableRow extends Omit<Table, "oid" | "columns" | "key" | "sizeBytes" | "fileNode" | "written"> {
  readonly oid: string;
  readonly sizeBytes: string;
  readonly fileNode: string;
  readonly columns: readonly Column[] | null;
  readonly key: readonly string[] | null;
  readonly written: string | null;
}

/** Every table of the application and of staging, in order of name. */
export async function readTables(client: Client): Promise<Table[]> {
  const { rows } = await client.query<TableRow>(tablesSql);
  return rows.map((row) => ({
    ...row,
    oid: Number(row.oid),
    sizeBytes: Number(row.sizeBytes),
    fileNode: Number(row.fileNode),
    columns: row.columns ?? [],
    key: row.key ?? [],
    written: row.written ?? undefined,
  }));
}

/** A table's name as people write it made into the engine's form: `"User"` becomes `public."User"`. */
export function fullName(name: string): string {
  const parts = [...name.matchAll(/"(?:[^"]|"")*"|[^".]+/g)].map(([part]) => normalPart(part));
  return parts.length === 1 ? `public.${parts[0] ?? ""}` : parts.join(".");
}

function normalPart(part: string): string {
  if (part.startsWith('"')) return /^"[a-z_][a-z0-9_$]*"$/.test(part) && !reserved.has(part.slice(1, -1)) ? part.slice(1, -1) : part;
  return writeName(part.toLowerCase());
}

/** A single name as PostgreSQL's own `quote_ident` writes it. */
export function writeName(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) && !reserved.has(name) ? name : quoteIdentifier(name);
}

/** Names that `quote_ident` quotes although they are lower case: PostgreSQL's reserved and partly reserved words. */
const reserved = new Set(
  `all analyse analyze and any array as asc asymmetric authorization between bigint binary bit boolean both case cast char character check coalesce
   collate collation column concurrently constraint create cross current_catalog current_date current_role current_schema current_time
   current_timestamp current_user dec decimal default deferrable desc distinct do else end except exists extract false fetch float for foreign
   freeze from full grant greatest group grouping having ilike in initially inner inout int integer intersect interval into is isnull join
   lateral leading least left like limit localtime localtimestamp national natural nchar none normalize not notnull null nullif numeric
   offset on only or order out outer overlaps overlay placing position precision primary real references returning right row select
   session_user setof similar smallint some substring symmetric system_user table tablesample then time timestamp to trailing treat trim true
   union unique user using values varchar variadic verbose when where window with xmlattributes xmlconcat xmlelement xmlexists xmlforest
   xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable`.split(/\s+/),
);
