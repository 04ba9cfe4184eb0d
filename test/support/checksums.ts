import type { ConnectionSettings } from "../../engine/postgres/connection.ts";
import { withClient } from "./postgres.ts";

/** One checksum over all rows of every user table; equal contents give equal checksums, whatever the order on disk. */
export async function tableChecksums(settings: ConnectionSettings): Promise<Record<string, string>> {
  return withClient(settings, async (client) => {
    await client.query("SET timezone = 'UTC'");
    const tables = await client.query<{ name: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1`,
    );
    const sums: Record<string, string> = {};
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ sum: string }>(
        `SELECT count(*) || ' ' || coalesce(md5(string_agg(row, '' ORDER BY row)), '') AS sum FROM (SELECT md5(t::text) AS row FROM ${name} t) every`,
      );
      sums[name] = rows[0]?.sum ?? "";
    }
    return sums;
  });
}
