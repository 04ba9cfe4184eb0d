import type { Client } from "pg";
import { failed, passed } from "./board.ts";
import type { Category, CheckDefinition, Outcome } from "./board.ts";
import type { Rule } from "./expectations.ts";

/** The check that a rule of the workload stands for. */
export function definitionOf(category: Category, rule: Rule): CheckDefinition {
  return { id: `${category}.${rule.id}`, title: rule.title, severity: rule.severity, remedy: rule.remedy };
}

/**
 * Evaluates a rule: it holds when its query returns no row.
 * @throws Error when the rule covers no row at all, or its SQL fails: then nothing was checked.
 */
export async function evaluateRule(client: Client, rule: Rule): Promise<Outcome> {
  const covered = rule.covers === undefined ? undefined : await covers(client, rule.covers);
  if (covered === 0) throw new Error("the rule speaks about no row at all here, so it shows nothing");
  const { rows } = await client.query<unknown[]>({
    text: `SELECT count(*) OVER ()::text, violation.* FROM (${withoutSemicolon(rule.sql)}\n) AS violation LIMIT 5`,
    rowMode: "array",
  });
  const total = Number(rows[0]?.[0] ?? 0);
  if (total === 0) return passed(covered === undefined ? "No violation." : `Holds for all ${covered} rows.`);
  const named = rows.map((row) => String(row[1]));
  return failed(`${total} ${total === 1 ? "violation" : "violations"}: ${named.join(", ")}${total > named.length ? ", …" : ""}`);
}

/** Keeps query results as temporary tables `before_<name>` of the session. */
export async function captureBefore(client: Client, captures: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, sql] of Object.entries(captures)) {
    await client.query(`DROP TABLE IF EXISTS pg_temp.before_${name}; CREATE TEMPORARY TABLE before_${name} AS ${withoutSemicolon(sql)}\n; ANALYZE before_${name}`);
  }
}

async function covers(client: Client, sql: string): Promise<number> {
  const { rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
  const value = Number(rows[0]?.[0]);
  if (!Number.isFinite(value)) throw new Error("`covers` returned no number");
  return value;
}

function withoutSemicolon(sql: string): string {
  return sql.trim().replace(/;\s*$/, "");
}
