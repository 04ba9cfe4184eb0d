import type { Client } from "pg";
import { quoteIdentifier } from "../postgres/identifier.ts";
import { counted, nameSome, namedExamples } from "./finding.ts";
import type { Finding } from "./finding.ts";
import type { IntegrityRule, NotEmptyRule, RowsRule, ScalarRule } from "./rules.ts";

/** Looks at one rule. @throws when it could not be looked at: wrong SQL, no such table or column, out of time. */
export async function evaluateRule(client: Client, rule: IntegrityRule): Promise<Finding> {
  if ("notEmpty" in rule) return evaluateNotEmpty(client, rule);
  if (await isEmpty(client, rule.appliesTo)) {
    return { status: "skipped", evidence: `${rule.appliesTo} has no rows: nothing was looked at.` };
  }
  return "sql" in rule ? evaluateRows(client, rule) : evaluateScalar(client, rule);
}

async function evaluateNotEmpty(client: Client, { notEmpty }: NotEmptyRule): Promise<Finding> {
  const empty = await isEmpty(client, notEmpty);
  return empty ? { status: "failed", evidence: `${notEmpty} has no rows.` } : { status: "passed", evidence: `${notEmpty} has rows.` };
}

async function evaluateRows(client: Client, rule: RowsRule): Promise<Finding> {
  const keys = rule.key.map((column) => `violations.${quoteIdentifier(column)}`);
  const { rows } = await client.query<{ total: string; key: string[] }>(
    `WITH violations AS MATERIALIZED (${withoutSemicolon(rule.sql)}\n)
     SELECT (SELECT count(*) FROM violations) AS total, ARRAY[${keys.map((key) => `${key}::text`).join(", ")}] AS key
       FROM violations ORDER BY ${keys.join(", ")} LIMIT ${namedExamples}`,
  );
  const total = Number(rows[0]?.total ?? 0);
  if (total === 0) return { status: "passed", evidence: `No row of ${rule.appliesTo} breaks it.` };
  const examples = rows.map(({ key }) => key.map((value, place) => `${rule.key[place]} ${value}`).join(", "));
  return {
    status: "failed",
    evidence: `${counted(total, "row")} of ${rule.appliesTo}: ${nameSome(examples, total)}.`,
    details: { violations: total, examples },
  };
}

async function evaluateScalar(client: Client, rule: ScalarRule): Promise<Finding> {
  const { rows, fields } = await client.query<Record<string, unknown>>(
    `SELECT * FROM (${withoutSemicolon(rule.scalar)}\n) AS scalar LIMIT 2`,
  );
  const value = Object.values(rows[0] ?? {})[0];
  const number = typeof value === "string" || typeof value === "number" ? Number(value) : Number.NaN;
  if (rows.length !== 1 || fields.length !== 1 || Number.isNaN(number)) {
    throw new Error(`its SELECT must return one number, and returned ${counted(rows.length, "row")} of ${counted(fields.length, "column")}`);
  }
  const { equals, atLeast, atMost } = rule.expect;
  const wanted = [
    ...(equals === undefined ? [] : [{ holds: number === equals, text: `${equals}` }]),
    ...(atLeast === undefined ? [] : [{ holds: number >= atLeast, text: `at least ${atLeast}` }]),
    ...(atMost === undefined ? [] : [{ holds: number <= atMost, text: `at most ${atMost}` }]),
  ];
  const holds = wanted.every((bound) => bound.holds);
  return {
    status: holds ? "passed" : "failed",
    evidence: `${number}, expected ${wanted.map((bound) => bound.text).join(" and ")}.`,
    details: { value: number },
  };
}

/** @throws when there is no such table. */
async function isEmpty(client: Client, table: string): Promise<boolean> {
  const { rowCount } = await client.query(`SELECT FROM ${table} LIMIT 1`);
  return rowCount === 0;
}

function withoutSemicolon(sql: string): string {
  return sql.trim().replace(/;\s*$/, "");
}
