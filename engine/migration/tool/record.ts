import type { Node } from "libpg-query";
import { exitCode, UnderstudyError } from "../../errors.ts";
import type { CloneSet } from "../clones/cloneSet.ts";
import { keptRows, largeRows, reduceRows } from "../clones/reduce.ts";
import { openSession } from "../run/session.ts";
import { relationName } from "../source/scope.ts";
import type { Direction, Migration, MigrationFile, MigrationState } from "../source/statement.ts";
import { fullName } from "../state/tables.ts";
import { commandOf, startTool } from "./command.ts";
import type { MigrationTool } from "./command.ts";
import { runTool } from "./run.ts";
import { fileOfStatements } from "./statements.ts";

/**
 * Runs a tool up and down once on a clone, to learn which statements it sends; all its pending migrations count as one. Where
 * tables are large, the clone is a small one: the statements of a tool do not hang on the number of rows, and every later run
 * of it is watched anew.
 * @param base a clone of staging; it gets the tool's own tables, empty, where the tool makes them on its first run, so that
 *   they count as there from the first, as they are in production
 * @throws UnderstudyError exit 2 when the tool cannot be started or its status command fails, exit 130 when interrupted.
 */
export async function recordTool(clones: CloneSet, base: string, tool: MigrationTool, signal: AbortSignal | undefined): Promise<Migration> {
  const first = await record(clones, base, tool, signal);
  const own = tool.bookkeeping.map(fullName);
  const made = first.up.statements.filter(({ node }) => makesOneOf(node, own));
  if (made.length === 0) return first;
  const owner = await openSession(clones.settings(base, "owner"), "understudy rehearsal");
  try {
    for (const { sql } of made) await owner.query(sql);
  } finally {
    await owner.end().catch(() => {});
  }
  return record(clones, base, tool, signal);
}

/** Whether a statement makes a table of these, or something on it that only a table just made can get. */
function makesOneOf(node: Node, own: readonly string[]): boolean {
  const relation = "CreateStmt" in node ? node.CreateStmt.relation : "IndexStmt" in node ? node.IndexStmt.relation : "AlterTableStmt" in node ? node.AlterTableStmt.relation : undefined;
  return own.includes(relationName(relation) ?? "");
}

async function record(clones: CloneSet, base: string, tool: MigrationTool, signal: AbortSignal | undefined): Promise<Migration> {
  const clone = await smallClone(clones, base, signal);
  try {
    const pending = tool.status === undefined ? undefined : await pendingOf(clones, clone, tool, tool.status);
    const count = pending?.length ?? 1;
    const state: MigrationState = pending === undefined ? "not declared" : pending.length === 0 ? "applied" : "pending";
    const up = await recordOne(clones, clone, { tool, count, direction: "up", signal });
    const down = tool.down === undefined ? undefined : await recordOne(clones, clone, { tool, count, direction: "down", signal });
    return { name: tool.name, up, down, stateOn: async () => state };
  } finally {
    await clones.drop(clone);
  }
}

async function smallClone(clones: CloneSet, base: string, signal: AbortSignal | undefined): Promise<string> {
  const clone = await clones.clone(base, signal);
  const client = await openSession(clones.settings(clone, "admin"), "understudy observer");
  try {
    const { rows } = await client.query<{ name: string; rows: number }>(
      "SELECT format('%I.%I', n.nspname, c.relname) AS name, c.reltuples::float8 AS rows FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'",
    );
    // What does not reduce is recorded at its full size.
    if (rows.some((table) => table.rows > largeRows)) await reduceRows(client, new Map(rows.map((table) => [table.name, table.rows])), keptRows).catch(() => {});
    return clone;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Names of what the status command calls pending. */
async function pendingOf(clones: CloneSet, clone: string, tool: MigrationTool, status: NonNullable<MigrationTool["status"]>): Promise<string[]> {
  const { code, output, lastWords } = await startTool({ tool, command: status.run, connection: clones.settings(clone, "owner"), count: 0 }).ended;
  if (code !== 0) {
    throw new UnderstudyError(`The migration tool's status command ended with ${code ?? "a signal"}: ${lastWords}`, {
      exitCode: exitCode.usage,
      remedy: "Correct `migrations.command.status` in the workload's workload.yaml.",
    });
  }
  return [...output.matchAll(new RegExp(status.pending, "gm"))].map(([whole, name]) => name ?? whole);
}

interface Recording {
  readonly tool: MigrationTool;
  readonly count: number;
  readonly direction: Direction;
  readonly signal: AbortSignal | undefined;
}

/** A run that fails is recorded as far as it came: the rehearsal finds out why. */
async function recordOne(clones: CloneSet, clone: string, { tool, count, direction, signal }: Recording): Promise<MigrationFile> {
  const run = await runTool({ tool, direction, count, connection: clones.settings(clone, "owner"), trace: false, startedAt: performance.now(), onListen: () => {}, signal });
  const file = fileOfStatements(tool.name, direction, commandOf(tool, direction).join(" "), run.runs.map(({ statement }) => statement));
  return { ...file, tool: { tool, count } };
}
