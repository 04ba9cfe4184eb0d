import type { Client } from "pg";
import { hasSqlState } from "../../postgres/session.ts";

interface ForeignKey {
  readonly name: string;
  readonly child: string;
  readonly parent: string;
  readonly childColumns: readonly string[];
  readonly parentColumns: readonly string[];
  readonly matchFull: boolean;
}

interface CheckConstraint {
  readonly name: string;
  readonly table: string;
  readonly expression: string;
}

const columns = (relation: string, keys: string) =>
  `(SELECT json_agg(quote_ident(a.attname) ORDER BY k.place) FROM unnest(${keys}) WITH ORDINALITY k(number, place) JOIN pg_attribute a ON a.attrelid = ${relation} AND a.attnum = k.number)`;

const userTable = "JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

const foreignKeysSql = `
  SELECT o.conname::text AS name, o.conrelid::regclass::text AS child, o.confrelid::regclass::text AS parent, o.confmatchtype = 'f' AS "matchFull",
         ${columns("o.conrelid", "o.conkey")} AS "childColumns", ${columns("o.confrelid", "o.confkey")} AS "parentColumns"
    FROM pg_constraint o ${userTable} AND o.contype = 'f' AND o.conparentid = 0`;

const checksSql = `
  SELECT o.conname::text AS name, o.conrelid::regclass::text AS table, pg_get_expr(o.conbin, o.conrelid) AS expression
    FROM pg_constraint o ${userTable} AND o.contype = 'c' AND NOT o.connoinherit`;

/** What no two rows of a table had in common. */
export interface UniqueKey {
  /** The index that held it, as the schema names it. */
  readonly index: string;
  readonly table: string;
  /** Columns or expressions, quoted. */
  readonly columns: readonly string[];
  readonly predicate: string | null;
}

const uniqueKeysSql = `
  SELECT i.indexrelid::regclass::text AS index, i.indrelid::regclass::text AS table, pg_get_expr(i.indpred, i.indrelid) AS predicate,
         (SELECT json_agg(pg_get_indexdef(i.indexrelid, place, false) ORDER BY place) FROM generate_series(1, i.indnkeyatts) AS place) AS columns
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE i.indisunique AND i.indisvalid AND c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   ORDER BY 1`;

/** Every unique index that PostgreSQL vouches for. */
export async function uniqueKeys(client: Client): Promise<UniqueKey[]> {
  return (await client.query<UniqueKey>(uniqueKeysSql)).rows;
}

/**
 * Looks for values that were unique before and are not any more. Where the same index still stands, PostgreSQL vouches for it
 * and nothing is read; a key whose table or column is gone says nothing.
 */
export async function duplicates(client: Client, before: readonly UniqueKey[]): Promise<{ findings: string[]; read: number }> {
  const standing = new Set((await uniqueKeys(client)).map((key) => JSON.stringify(key)));
  const findings: string[] = [];
  let read = 0;
  for (const key of before.filter((one) => !standing.has(JSON.stringify(one)))) {
    const columns = key.columns.map((column) => `(${column})`);
    const filled = [...columns.map((column) => `${column} IS NOT NULL`), ...(key.predicate === null ? [] : [`(${key.predicate})`])].join(" AND ");
    const from = `(SELECT FROM ${key.table} WHERE ${filled} GROUP BY ${columns.join(", ")} HAVING count(*) > 1) AS twice`;
    const count = await countOf(client, from).catch((error: unknown) => {
      if (hasSqlState(error, "42P01", "42703")) return undefined;
      throw error;
    });
    if (count === undefined) continue;
    read += 1;
    if (count > 0) findings.push(`${count} values of ${key.columns.join(", ")} stand more than once in ${key.table}, where ${key.index} allowed each once`);
  }
  return { findings, read };
}

/**
 * Looks for orphans of every foreign key, whether or not PostgreSQL takes it for valid: triggers can be off and constraints
 * NOT VALID. Returns the findings and how many keys were looked at.
 */
export async function orphans(client: Client): Promise<{ findings: string[]; looked: number }> {
  const { rows } = await client.query<ForeignKey>(foreignKeysSql);
  const findings: string[] = [];
  for (const key of rows) {
    const filled = key.childColumns.map((column) => `child.${column} IS NOT NULL`).join(key.matchFull ? " OR " : " AND ");
    const matches = key.childColumns.map((column, index) => `parent.${key.parentColumns[index]} = child.${column}`).join(" AND ");
    const count = await countOf(client, `${key.child} child WHERE (${filled}) AND NOT EXISTS (SELECT FROM ${key.parent} parent WHERE ${matches})`);
    if (count > 0) findings.push(`${count} rows of ${key.child} point to no row of ${key.parent} (${key.name})`);
  }
  return { findings, looked: rows.length };
}

/** Looks for rows that break a CHECK constraint, valid or not. */
export async function brokenChecks(client: Client): Promise<{ findings: string[]; looked: number }> {
  const { rows } = await client.query<CheckConstraint>(checksSql);
  const findings: string[] = [];
  for (const check of rows) {
    const count = await countOf(client, `${check.table} WHERE NOT (${check.expression})`);
    if (count > 0) findings.push(`${count} rows of ${check.table} break ${check.name}`);
  }
  return { findings, looked: rows.length };
}

async function countOf(client: Client, from: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`SELECT count(*)::text AS count FROM ${from}`);
  return Number(rows[0]?.count ?? 0);
}
