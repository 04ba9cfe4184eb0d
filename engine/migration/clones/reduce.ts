import type { Client } from "pg";
import { quoteIdentifier } from "../../postgres/identifier.ts";
import { inTransaction } from "../../postgres/session.ts";

/** Rows that a large table keeps at random, and as many again for its kinds of rows. */
export const keptRows = 2_000;
/** From here on a table is large. */
export const largeRows = 20_000;

/** Rows by table, before and after. */
export interface Reduction {
  readonly rowsBefore: number;
  readonly rowsAfter: number;
}

interface ReducedTable {
  /** Quoted, with its schema. */
  readonly name: string;
  readonly oid: string;
  readonly rows: number;
  readonly columns: readonly { readonly name: string; readonly category: string; readonly generated: boolean }[];
}

interface Reference {
  readonly child: string;
  readonly parent: string;
  readonly childColumns: readonly string[];
  readonly parentColumns: readonly string[];
}

const ofUsers = (relation: string, namespace: string) => `${namespace}.nspname !~ '^pg_' AND ${namespace}.nspname <> 'information_schema' AND ${relation}.relpersistence <> 't'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = ${relation}.oid AND e.deptype = 'e')`;

const tablesSql = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name, c.oid::int8::text AS oid, c.relkind = 'p' AS "isPartitioned",
         (SELECT json_agg(json_build_object('name', a.attname, 'generated', a.attgenerated <> '',
                   'category', CASE WHEN t.typtype = 'e' OR t.typcategory = 'B' THEN 'value'
                                    WHEN t.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'float4'::regtype, 'float8'::regtype, 'numeric'::regtype) THEN 'number'
                                    WHEN t.oid IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype) THEN 'text' ELSE 'other' END) ORDER BY a.attnum)
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND ${ofUsers("c", "n")} ORDER BY 1`;

const keyColumns = (relation: string, keys: string) =>
  `(SELECT json_agg(quote_ident(a.attname) ORDER BY k.place) FROM unnest(${keys}) WITH ORDINALITY k(number, place) JOIN pg_attribute a ON a.attrelid = ${relation} AND a.attnum = k.number)`;

const referencesSql = `
  SELECT format('%I.%I', n.nspname, c.relname) AS child, format('%I.%I', pn.nspname, p.relname) AS parent,
         ${keyColumns("o.conrelid", "o.conkey")} AS "childColumns", ${keyColumns("o.confrelid", "o.confkey")} AS "parentColumns"
    FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_class p ON p.oid = o.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
   WHERE o.contype = 'f' AND o.conparentid = 0 AND ${ofUsers("c", "n")}`;

/** What tells kinds of rows apart: values of enums and booleans, NULL, empty, long, padded and non-ASCII text, the sign of numbers. */
function kindOf(columns: ReducedTable["columns"]): string {
  const parts = columns.map(({ name, category }) => {
    const column = quoteIdentifier(name);
    if (category === "value") return `coalesce(${column}::text, '-')`;
    if (category === "number") return `CASE WHEN ${column} IS NULL THEN '-' WHEN ${column} < 0 THEN 'n' WHEN ${column} = 0 THEN '0' ELSE 'p' END`;
    if (category === "text") {
      return `CASE WHEN ${column} IS NULL THEN '-' WHEN ${column} = '' THEN '0' WHEN octet_length(${column}) > 2000 THEN 'x'
                   WHEN octet_length(${column}) <> char_length(${column}) THEN 'u' WHEN ${column} <> btrim(${column}) THEN 'b' ELSE 'a' END`;
    }
    return `CASE WHEN ${column} IS NULL THEN '-' ELSE 'v' END`;
  });
  return `concat_ws('|', ${parts.length === 0 ? "''" : parts.join(", ")})`;
}

/**
 * Makes the connected clone small, its schema untouched: every large table keeps a random part, rows of every kind found in it,
 * and whatever the kept rows of other tables point to; small tables keep all. Sequences, privileges, triggers stay as they are.
 * In one transaction, with triggers off; the session must be a superuser's.
 *
 * @param rows by full name of table, as counted
 * @param most rows that a table keeps at random, and again of kinds; the rows that others point to come on top
 */
export async function reduceRows(client: Client, rows: ReadonlyMap<string, number>, most: number): Promise<Reduction> {
  const relations = await client.query<ReducedTable & { isPartitioned: boolean }>(tablesSql);
  const tables = relations.rows.filter(({ isPartitioned }) => !isPartitioned).map((table) => ({ ...table, columns: table.columns ?? [], rows: rows.get(table.name) ?? 0 }));
  const large = tables.filter((table) => table.rows > largeRows);
  const references = (await client.query<Reference>(referencesSql)).rows;
  await client.query("SET session_replication_role = replica; SET synchronous_commit = off; SET jit = off");
  await inTransaction(client, async () => {
    await client.query("CREATE TEMPORARY TABLE kept (relation oid, line tid, round int, PRIMARY KEY (relation, line)) ON COMMIT DROP");
    for (const table of large) await keepSome(client, table, most);
    // Few rows of large tables are fetched by their place and by their key, whatever the planner thinks of it.
    await client.query("ANALYZE kept; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off");
    await keepReferenced(client, large, references);
    for (const [index, table] of tables.entries()) {
      const from = large.includes(table) ? `${table.name} t JOIN kept k ON k.relation = ${table.oid} AND k.line = t.ctid` : `${table.name} t`;
      await client.query(`CREATE TEMPORARY TABLE rows_${index} ON COMMIT DROP AS SELECT ${columnList(table, "t.") || "1 AS nothing"} FROM ONLY ${from} ORDER BY t.ctid`);
    }
    await client.query(`TRUNCATE ${relations.rows.map(({ name }) => name).join(", ")}`);
    for (const [index, table] of tables.entries()) {
      const columns = columnList(table);
      if (columns !== "") await client.query(`INSERT INTO ${table.name} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM rows_${index}`);
    }
  });
  await client.query("RESET session_replication_role; RESET synchronous_commit");
  await client.query("ANALYZE");
  const sum = (counts: Iterable<number>) => [...counts].reduce((total, count) => total + count, 0);
  const after = await client.query<{ rows: string }>(tables.map(({ name }) => `SELECT count(*)::text AS rows FROM ONLY ${name}`).join(" UNION ALL "));
  return { rowsBefore: sum(rows.values()), rowsAfter: sum(after.rows.map((row) => Number(row.rows))) };
}

/** A random part, read by the page, and the first row of every kind, rare kinds first. */
async function keepSome(client: Client, { name, oid, rows, columns }: ReducedTable, most: number): Promise<void> {
  await client.query(`INSERT INTO kept SELECT ${oid}, ctid, 0 FROM ONLY ${name} TABLESAMPLE SYSTEM (${Math.min(100, (200 * most) / rows)}) REPEATABLE (1) LIMIT ${most}`);
  // A table of its own first: PostgreSQL reads in parallel for CREATE TABLE AS, and never for INSERT.
  await client.query(`CREATE TEMPORARY TABLE kinds AS SELECT min(ctid::text)::tid AS line FROM ONLY ${name} GROUP BY ${kindOf(columns)} ORDER BY count(*) LIMIT ${most}`);
  await client.query(`INSERT INTO kept SELECT ${oid}, line, 0 FROM kinds ON CONFLICT DO NOTHING; DROP TABLE kinds`);
}

/** Whatever kept rows point to is kept too, and what that points to, until no foreign key leads out. */
async function keepReferenced(client: Client, large: readonly ReducedTable[], references: readonly Reference[]): Promise<void> {
  const isLarge = "t.tableoid = ANY ($1::oid[])";
  const oids = large.map(({ oid }) => oid);
  for (let [round, added] = [0, 1]; added > 0; round += 1) {
    added = 0;
    for (const { child, parent, childColumns, parentColumns } of references) {
      const keys = (alias: string) => childColumns.map((column, index) => `${alias}.${column} AS k${index}`).join(", ");
      const matches = parentColumns.map((column, index) => `t.${column} = wanted.k${index}`).join(" AND ");
      const inserted = await client.query(
        `WITH wanted AS MATERIALIZED (
           SELECT ${keys("c")} FROM kept k JOIN ${child} c ON c.ctid = k.line AND c.tableoid = k.relation WHERE k.round = $2
           UNION SELECT ${keys("t")} FROM ${child} t WHERE $2 = 0 AND NOT ${isLarge}
         ) INSERT INTO kept SELECT t.tableoid, t.ctid, $2 + 1 FROM wanted JOIN ${parent} t ON ${matches} WHERE ${isLarge} ON CONFLICT DO NOTHING`,
        [oids, round],
      );
      added += inserted.rowCount ?? 0;
    }
  }
}

function columnList({ columns }: ReducedTable, prefix = ""): string {
  return columns.filter(({ generated }) => !generated).map(({ name }) => `${prefix}${quoteIdentifier(name)}`).join(", ");
}
