import type { Client } from "pg";
import { quoteIdentifier } from "../postgres/identifier.ts";
import { fromTable, qualified } from "./catalog.ts";
import type { Reference, Sequence } from "./catalog.ts";
import { matchSql } from "./selection.ts";
import { workThrough } from "./workers.ts";

/**
 * Sets cut references to NULL where their parent was not chosen. Before indexes and constraints are there.
 * Of several columns, those that may be NULL.
 */
export async function cutReferences(client: Client, cut: ReadonlySet<Reference>): Promise<Map<Reference, number>> {
  const changed = new Map<Reference, number>();
  for (const reference of cut) {
    const nullable = reference.child.columns.filter((column) => reference.childColumns.includes(column.name) && !column.notNull);
    const { rowCount } = await client.query(
      `UPDATE ${fromTable(reference.child)} AS child SET ${nullable.map(({ name }) => `${quoteIdentifier(name)} = NULL`).join(", ")}
        WHERE ${reference.childColumns.map((name) => `child.${quoteIdentifier(name)} IS NOT NULL`).join(" AND ")}
          AND NOT EXISTS (SELECT FROM ${fromTable(reference.parent)} AS parent WHERE ${matchSql(reference, "parent", "child")})`,
    );
    changed.set(reference, rowCount ?? 0);
  }
  return changed;
}

/** Sequences go on where the source's are. */
export async function setSequences(client: Client, sequences: readonly Sequence[]): Promise<void> {
  for (const sequence of sequences) {
    await client.query("SELECT pg_catalog.setval($1::regclass, $2::bigint, $3)", [qualified(sequence), sequence.lastValue, sequence.isCalled]);
  }
}

/** Materialized views that read foreign tables, be it through other views: to fill them would be to ask another server. */
const remoteViews = `
  WITH RECURSIVE reading(oid) AS (
    SELECT oid FROM pg_class WHERE relkind = 'f'
    UNION SELECT r.ev_class FROM reading JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = reading.oid AND d.classid = 'pg_rewrite'::regclass
            JOIN pg_rewrite r ON r.oid = d.objid)
  SELECT oid FROM reading`;

/** Statistics of every table, as many at a time as there are sessions, the biggest first; a partitioned one's bring its partitions'. */
export async function analyze(clients: readonly Client[]): Promise<void> {
  const [first] = clients;
  if (first === undefined) return;
  const { rows } = await first.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      ORDER BY c.relkind = 'p' DESC, pg_relation_size(c.oid) DESC`,
  );
  await workThrough(rows, clients, async ({ name }, client) => void (await client.query(`ANALYZE ${name}`)));
}

/**
 * Fills materialized views, those that read others after these.
 * @param unfilled those without data in the source, `schema.name` quoted: they stay so
 * @returns those left without data because they read foreign tables
 */
export async function refreshMaterializedViews(client: Client, unfilled: readonly string[]): Promise<string[]> {
  const emptyOnes = async (): Promise<string[]> => {
    const { rows } = await client.query<{ name: string }>(
      `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'm' AND NOT c.relispopulated AND format('%I.%I', n.nspname, c.relname) <> ALL ($1) AND c.oid NOT IN (${remoteViews}) ORDER BY c.oid`,
      [unfilled],
    );
    return rows.map(({ name }) => name);
  };
  for (let waiting = await emptyOnes(); waiting.length > 0; ) {
    let failure: unknown;
    for (const name of waiting) {
      await client.query(`REFRESH MATERIALIZED VIEW ${name}`).catch((error: unknown) => (failure = error));
    }
    const still = await emptyOnes();
    if (still.length === waiting.length) throw failure;
    waiting = still;
  }
  const { rows: remote } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'm' AND c.oid IN (${remoteViews}) ORDER BY 1`,
  );
  return remote.map(({ name }) => name);
}

/** Extensions that this server cannot make. */
export async function missingExtensions(client: Client, names: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT wanted AS name FROM unnest($1::text[]) AS wanted WHERE wanted NOT IN (SELECT name FROM pg_available_extensions)`,
    [names],
  );
  return rows.map(({ name }) => name);
}
