import type { Client } from "pg";
import { quoteIdentifier } from "../postgres/identifier.ts";
import { withSession } from "../postgres/session.ts";
import { connectionOf } from "../staging/database.ts";
import type { StagingDatabase } from "../staging/database.ts";
import { qualified } from "./catalog.ts";
import { relay } from "./relay.ts";

interface OwnTable {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly string[];
}

const ownTablesSql = `
  SELECT n.nspname::text AS schema, c.relname::text AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
   WHERE n.nspname = ANY ($1) AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
   GROUP BY 1, 2 ORDER BY 1, 2`;

const ownSequencesSql = `
  SELECT n.nspname::text AS schema, c.relname::text AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY ($1) AND c.relkind = 'S'`;

/**
 * Carries the rows of staging's own tables (logs, test results, marker) from the live database into the next one,
 * with the state of their sequences. Tables and columns that only one of them has are passed over.
 */
export async function carryOwnRows(staging: StagingDatabase, next: Client, schemas: readonly string[], signal?: AbortSignal): Promise<void> {
  const session = { applicationName: "understudy copy", readOnly: true, signal };
  await withSession(connectionOf(staging, "admin"), session, async (live) => {
    const { rows: there } = await next.query<OwnTable>(ownTablesSql, [schemas]);
    const { rows: here } = await live.query<OwnTable>(ownTablesSql, [schemas]);
    for (const table of there) {
      const before = here.find(({ schema, name }) => schema === table.schema && name === table.name);
      const shared = table.columns.filter((column) => before?.columns.includes(column));
      if (shared.length === 0) continue;
      const list = shared.map(quoteIdentifier).join(", ");
      await next.query(`DELETE FROM ${qualified(table)}`);
      const statements = { read: `COPY ${qualified(table)} (${list}) TO STDOUT`, write: `COPY ${qualified(table)} (${list}) FROM STDIN` };
      await relay(live, next, { ...statements, table: `${table.schema}.${table.name}` }, () => {});
    }
    const { rows: sequences } = await live.query<{ schema: string; name: string }>(ownSequencesSql, [schemas]);
    for (const sequence of sequences) {
      const state = await live.query<{ last: string; called: boolean }>(`SELECT last_value::text AS last, is_called AS called FROM ${qualified(sequence)}`);
      await next.query("SELECT setval(to_regclass($1), $2::bigint, $3) WHERE to_regclass($1) IS NOT NULL", [
        qualified(sequence),
        state.rows[0]?.last,
        state.rows[0]?.called,
      ]);
    }
  });
}
