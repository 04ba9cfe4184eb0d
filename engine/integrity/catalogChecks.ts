import type { Client } from "pg";
import { listForeignKeys, orphansSql, qualified } from "../postgres/foreignKeys.ts";
import { counted, nameSome } from "./finding.ts";
import type { Finding } from "./finding.ts";
import type { IntegrityCheck } from "./run.ts";
import { lookAtSequences } from "./sequences.ts";

const userSchema = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";

/** What must hold in any database. Names objects and counts rows; shows no value of any. */
export const catalogChecks: readonly IntegrityCheck[] = [
  {
    id: "foreign-keys",
    title: "No row refers to one that is not there",
    severity: "error",
    remedy: "Restore the missing rows or remove the orphans, then find out what wrote around the constraint.",
    look: lookAtForeignKeys,
  },
  {
    id: "indexes-valid",
    title: "Every index is valid",
    severity: "error",
    remedy: "REINDEX INDEX CONCURRENTLY, or drop it and build it again.",
    look: lookAtIndexes,
  },
  {
    id: "constraints-validated",
    title: "Every constraint is validated",
    severity: "warning",
    remedy: "Repair the rows that break it, then ALTER TABLE … VALIDATE CONSTRAINT.",
    look: lookAtConstraints,
  },
  {
    id: "triggers-enabled",
    title: "No trigger is disabled",
    severity: "error",
    remedy: "ALTER TABLE … ENABLE TRIGGER, after checking what was written without it.",
    look: lookAtTriggers,
  },
  {
    id: "sequences-ahead",
    title: "Every sequence is ahead of its column",
    severity: "error",
    remedy: "setval the sequence to the column's highest value.",
    look: lookAtSequences,
  },
];

async function lookAtForeignKeys(client: Client): Promise<Finding> {
  const keys = await listForeignKeys(client);
  if (keys.length === 0) return { status: "skipped", evidence: "There is no foreign key." };
  const broken: string[] = [];
  for (const key of keys) {
    const { rows } = await client.query<{ orphans: string }>(`SELECT count(*) AS orphans FROM (${orphansSql(key)}) AS every`);
    const orphans = Number(rows[0]?.orphans);
    if (orphans > 0) broken.push(`${counted(orphans, "orphan")} behind ${key.name} of ${qualified(key.schema, key.table)}`);
  }
  if (broken.length > 0) return { status: "failed", evidence: `${nameSome(broken)}.`, details: { broken } };
  return { status: "passed", evidence: `${counted(keys.length, "foreign key")}, no orphan.` };
}

async function lookAtIndexes(client: Client): Promise<Finding> {
  const { rows } = await client.query<{ name: string; bad: boolean }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name, NOT (i.indisvalid AND i.indisready AND i.indislive) AS bad
       FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE ${userSchema} ORDER BY 1`,
  );
  const bad = rows.filter((row) => row.bad).map((row) => row.name);
  if (rows.length === 0) return { status: "skipped", evidence: "There is no index." };
  if (bad.length > 0) return { status: "failed", evidence: `Not valid: ${nameSome(bad)}.`, details: { bad } };
  return { status: "passed", evidence: `${counted(rows.length, "index", "indexes")}, all valid.` };
}

async function lookAtConstraints(client: Client): Promise<Finding> {
  const { rows } = await client.query<{ name: string; table: string; validated: boolean; check: string | null }>(
    `SELECT k.conname::text AS name, format('%I.%I', n.nspname, c.relname) AS "table", k.convalidated AS validated,
            CASE k.contype WHEN 'c' THEN pg_get_expr(k.conbin, k.conrelid) END AS "check"
       FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE ${userSchema} AND k.contype IN ('c', 'f') ORDER BY 2, 1`,
  );
  const open = rows.filter((row) => !row.validated);
  if (rows.length === 0) return { status: "skipped", evidence: "There is no constraint to validate." };
  if (open.length === 0) return { status: "passed", evidence: `${counted(rows.length, "constraint")}, all validated.` };
  let violations = 0;
  const named: string[] = [];
  for (const { name, table, check } of open) {
    const breaking = check === null ? 0 : await countBreaking(client, table, check);
    violations += breaking;
    named.push(`${name} of ${table}${breaking > 0 ? ` (${counted(breaking, "row")} ${breaking === 1 ? "breaks" : "break"} it)` : ""}`);
  }
  return {
    status: "failed",
    severity: violations > 0 ? "error" : "warning",
    evidence: `NOT VALID: ${nameSome(named)}.`,
    details: { notValid: named },
  };
}

async function countBreaking(client: Client, table: string, check: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) AS count FROM ${table} WHERE NOT (${check})`);
  return Number(rows[0]?.count);
}

async function lookAtTriggers(client: Client): Promise<Finding> {
  const { rows } = await client.query<{ name: string; disabled: boolean }>(
    `SELECT format('%s of %I.%I', coalesce('the foreign key ' || quote_ident(k.conname), quote_ident(t.tgname)), n.nspname, c.relname) AS name,
            t.tgenabled = 'D' AS disabled
       FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_constraint k ON k.oid = t.tgconstraint AND t.tgisinternal
      WHERE ${userSchema} ORDER BY 1`,
  );
  const disabled = [...new Set(rows.filter((row) => row.disabled).map((row) => row.name))];
  if (rows.length === 0) return { status: "skipped", evidence: "There is no trigger." };
  if (disabled.length > 0) return { status: "failed", evidence: `Disabled: ${nameSome(disabled)}.`, details: { disabled } };
  return { status: "passed", evidence: `${counted(rows.length, "trigger")}, all enabled.` };
}
