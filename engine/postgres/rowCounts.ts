import type { Client } from "pg";
import { qualified } from "./foreignKeys.ts";

/**
 * Exact rows of every user table (partitioned ones as a whole), in the connected session's snapshot.
 * Keyed by table name, with the schema in front when it is not `public`.
 */
export async function countRows(client: Client): Promise<Record<string, number>> {
  const tables = await client.query<{ schema: string; name: string; partitioned: boolean }>(`
    SELECT n.nspname::text AS schema, c.relname::text AS name, c.relkind = 'p' AS partitioned
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     ORDER BY 1, 2`);
  const counts: Record<string, number> = {};
  for (const { schema, name, partitioned } of tables.rows) {
    const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${partitioned ? "" : "ONLY "}${qualified(schema, name)}`);
    counts[schema === "public" ? name : `${schema}.${name}`] = Number(rows[0]?.count);
  }
  return counts;
}
