import type { Client } from "pg";
import { quoteIdentifier } from "../../postgres/identifier.ts";
import type { ValidationCheck } from "../check.ts";
import { verdict } from "../outcome.ts";

/** Columns that can hold text, structured and array types included. */
const textColumnsSql = `
  SELECT c.oid::regclass::text AS table, array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type base ON base.oid = CASE WHEN t.typbasetype <> 0 THEN t.typbasetype ELSE t.typelem END
   WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'staging_logs')
     AND (t.typcategory IN ('S', 'C') OR base.typcategory IN ('S', 'C') OR t.typname IN ('json', 'jsonb', 'xml', 'hstore')
          OR base.typname IN ('json', 'jsonb', 'xml') OR t.typcategory = 'U' AND t.typname = 'citext')
   GROUP BY c.oid ORDER BY 1`;

/** What cannot be in an address and so ends it; everything else can, letters beyond ASCII included. */
const ends = String.raw`[:space:]@<>"',;:(){}\[\]=/\\|*&#~`;

/** An email address of any other domain, anywhere in the text. What ends a sentence does not belong to the domain. */
export function foreignEmailPattern(domains: readonly string[]): string {
  const allowed = domains.map((domain) => domain.replaceAll(/[.\\+*?()[\]{}|^$]/g, String.raw`\$&`)).join("|");
  return String.raw`[^${ends}]@(?!(${allowed})[.!?-]*([${ends}]|$))[^${ends}]+\.[^${ends}]{2,}`;
}

/** Columns with addresses outside the domains, with how many rows; never an address. */
async function findForeignEmails(client: Client, domains: readonly string[]): Promise<{ columns: number; found: { column: string; rows: number }[] }> {
  const { rows: tables } = await client.query<{ table: string; columns: string[] }>(textColumnsSql);
  const pattern = foreignEmailPattern(domains);
  const found: { column: string; rows: number }[] = [];
  for (const { table, columns } of tables) {
    const counts = columns.map((column, index) => `count(*) FILTER (WHERE ${quoteIdentifier(column)}::text ~* $1) AS c${index}`);
    const { rows } = await client.query<Record<string, string>>(`SELECT ${counts.join(", ")} FROM ${table}`, [pattern]);
    columns.forEach((column, index) => {
      const count = Number(rows[0]?.[`c${index}`]);
      if (count > 0) found.push({ column: `${table}.${quoteIdentifier(column)}`, rows: count });
    });
  }
  return { columns: tables.reduce((total, { columns }) => total + columns.length, 0), found };
}

export const emailsMasked: ValidationCheck = {
  id: "database.emails-masked",
  category: "database",
  title: "No email address outside staging's own domain",
  severity: "error",
  quick: true,
  run: async ({ requirements, session }) => {
    const { emailDomains } = requirements.database;
    const { columns, found } = await session("readOnly", (client) => findForeignEmails(client, emailDomains));
    return verdict(
      found.map(({ column, rows }) => `${rows} rows of ${column} hold another address`),
      {
        count: columns,
        evidence: `${columns} columns that can hold text searched, JSON and free text included: only @${emailDomains.join(", @")}`,
        remedy: "Give the column a rule in the workload's masking, then `understudy copy`.",
      },
    );
  },
};
