import type { Client } from "pg";
import { messageOf } from "../errors.ts";
import { silent } from "../progress.ts";
import type { OnProgress } from "../progress.ts";
import type { ConnectionSettings } from "../postgres/connection.ts";
import { hasSqlState, interrupted, withSession } from "../postgres/session.ts";
import type { CheckResult } from "../report/check.ts";
import { catalogChecks } from "./catalogChecks.ts";
import { evaluateRule } from "./evaluate.ts";
import type { Finding } from "./finding.ts";
import type { IntegrityRule } from "./rules.ts";

export interface RunChecks {
  /** A role that may read everything; nothing is written, whatever the role could. */
  readonly connection: ConnectionSettings;
  /** For each rule; default 30,000. */
  readonly statementTimeoutMs?: number;
  /** The results' category, and the first part of their ids; default `integrity`. */
  readonly category?: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

export interface RunIntegrityRules extends RunChecks {
  readonly rules: readonly IntegrityRule[];
}

/** One thing to look at: what a report calls it, and how it is looked at. */
export interface IntegrityCheck {
  readonly id: string;
  readonly title: string;
  readonly severity: CheckResult["severity"];
  readonly remedy: string;
  readonly look: (client: Client) => Promise<Finding>;
}

/**
 * Looks at a workload's rules, all in one read-only snapshot. One result per rule, in order: `failed` names the first keys that break
 * it, `skipped` had no rows to look at, `errored` could not be looked at; neither of the two counts as passed.
 * @throws UnderstudyError exit 3 when the database cannot be reached, exit 130 when interrupted.
 */
export async function runIntegrityRules(options: RunIntegrityRules): Promise<CheckResult[]> {
  return runChecks(
    options.rules.map((rule) => ({ ...rule, look: (client) => evaluateRule(client, rule) })),
    options,
  );
}

/**
 * Looks at what must hold in any database, from the catalog alone: no orphans behind any foreign key (also one that is NOT VALID),
 * every index valid, every constraint validated, no trigger disabled, every sequence ahead of its column.
 * Results and errors as {@link runIntegrityRules}.
 */
export async function runCatalogChecks(options: RunChecks): Promise<CheckResult[]> {
  return runChecks(catalogChecks, options);
}

async function runChecks(checks: readonly IntegrityCheck[], options: RunChecks): Promise<CheckResult[]> {
  const { connection, statementTimeoutMs = 30_000, category = "integrity", onProgress = silent, signal } = options;
  const session = { applicationName: "understudy integrity", readOnly: true, statementTimeoutMs, lockTimeoutMs: 5_000, signal };
  return withSession(connection, session, async (client) => {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    const results: CheckResult[] = [];
    for (const check of checks) {
      onProgress({ step: "integrity", message: check.title, done: results.length, total: checks.length, unit: "checks" });
      const startedAt = performance.now();
      const finding = await lookInSavepoint(client, check, statementTimeoutMs);
      if (signal?.aborted === true) throw interrupted("The integrity check");
      results.push(resultOf(check, finding, category, performance.now() - startedAt));
    }
    await client.query("ROLLBACK").catch(() => {});
    onProgress({ step: "integrity", message: "done", done: results.length, total: checks.length, unit: "checks" });
    return results;
  });
}

type Outcome = Finding | { readonly status: "errored"; readonly evidence: string };

/** A check that fails to run leaves the snapshot to the next. */
async function lookInSavepoint(client: Client, check: IntegrityCheck, timeoutMs: number): Promise<Outcome> {
  try {
    await client.query("SAVEPOINT look");
    return await check.look(client);
  } catch (error) {
    return { status: "errored", evidence: `Could not be looked at: ${whyErrored(error, timeoutMs)}.` };
  } finally {
    await client.query("ROLLBACK TO SAVEPOINT look").catch(() => {});
  }
}

/** Messages about data (class 22 and 23, and what functions raise) quote values, so only their code is shown. */
function whyErrored(error: unknown, timeoutMs: number): string {
  if (hasSqlState(error, "57014")) return `not done within ${timeoutMs} ms`;
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  return /^(22|23|P0)/.test(code) ? `a value does not fit what the SQL does with it (SQLSTATE ${code})` : messageOf(error);
}

function resultOf(check: IntegrityCheck, outcome: Outcome, category: string, durationMs: number): CheckResult {
  const { status, evidence } = outcome;
  const severity = "severity" in outcome && outcome.severity !== undefined ? outcome.severity : check.severity;
  return {
    id: `${category}.${check.id}`,
    category,
    title: check.title,
    severity,
    status,
    evidence,
    durationMs,
    ...(status === "passed" ? {} : { remedy: remedyOf(check, status) }),
    ...("details" in outcome && outcome.details !== undefined ? { details: outcome.details } : {}),
  };
}

function remedyOf(check: IntegrityCheck, status: "failed" | "skipped" | "errored"): string {
  if (status === "failed") return check.remedy;
  return status === "skipped" ? "Fill the table, then look again." : "Correct the rule, or give its role the right to read; then look again.";
}
