import type { Client } from "pg";
import { quoteIdentifier } from "./identifier.ts";

/** A foreign key as the catalog has it. */
export interface ForeignKey {
  readonly name: string;
  readonly validated: boolean;
  readonly schema: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly referencedSchema: string;
  readonly referencedTable: string;
  readonly referencedColumns: readonly string[];
  /** MATCH FULL: a key that is NULL in part is an orphan too. */
  readonly matchFull: boolean;
}

/** Every foreign key of user tables, those declared on partitioned tables once. */
export async function listForeignKeys(client: Client): Promise<ForeignKey[]> {
  const { rows } = await client.query<ForeignKey>(`
    SELECT k.conname::text AS name, k.convalidated AS validated,
           n.nspname::text AS schema, c.relname::text AS "table",
           rn.nspname::text AS "referencedSchema", rc.relname::text AS "referencedTable",
           k.confmatchtype = 'f' AS "matchFull",
           ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u (number, place)
                   JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY u.place) AS columns,
           ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u (number, place)
                   JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY u.place) AS "referencedColumns"
      FROM pg_constraint k
      JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_class rc ON rc.oid = k.confrelid JOIN pg_namespace rn ON rn.oid = rc.relnamespace
     WHERE k.contype = 'f' AND k.conparentid = 0 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     ORDER BY 3, 4, 1`);
  return rows;
}

/** SQL that returns the referencing columns of every row whose key has no row to refer to. */
export function orphansSql(key: ForeignKey): string {
  const columns = key.columns.map((column) => `child.${quoteIdentifier(column)}`);
  const pairs = key.referencedColumns.map((column, place) => `parent.${quoteIdentifier(column)} = ${columns[place]}`);
  const filled = columns.map((column) => `${column} IS NOT NULL`);
  const orphan = `${filled.join(" AND ")} AND NOT EXISTS (
    SELECT FROM ${qualified(key.referencedSchema, key.referencedTable)} parent WHERE ${pairs.join(" AND ")})`;
  const half = `(${filled.join(" OR ")}) AND NOT (${filled.join(" AND ")})`;
  return `SELECT ${columns.join(", ")} FROM ${qualified(key.schema, key.table)} child
           WHERE (${orphan})${key.matchFull && columns.length > 1 ? ` OR (${half})` : ""}`;
}

/** `"schema"."table"`. */
export function qualified(schema: string, table: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`;
}
