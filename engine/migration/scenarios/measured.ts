import type { Client } from "pg";
import { attempt, failed, noneOf, passed } from "../board.ts";
import type { CheckDefinition, Outcome } from "../board.ts";
import type { Migrated, RehearsalContext } from "../context.ts";
import type { Expectations } from "../expectations.ts";
import { manualName, stoppedBy } from "../run/locks.ts";
import type { HeldLock } from "../run/locks.ts";
import { placeOf } from "../source/statement.ts";
import type { Statement } from "../source/statement.ts";
import type { Snapshot } from "../state/snapshot.ts";
import { rowsOf } from "../state/snapshot.ts";

const rewritesId = "performance.table-rewrites";
const holdId = "performance.lock-hold";
const acrossId = "performance.lock-across-work";
const durationId = "performance.duration";

export function performanceDefinitions({ bounds, standardQueries }: Expectations): CheckDefinition[] {
  return [
    { id: durationId, title: `Up and its statements take at most ${bounds.migrationMs} ms`, remedy: "Work in batches, each in a transaction of its own." },
    { id: rewritesId, title: "No filled table is rewritten", remedy: "Add a new column and fill it in batches, or use a type change and default that need no rewrite." },
    { id: holdId, title: `No lock that stops others is held for more than ${bounds.lockHoldMs} ms`, remedy: "Take the lock last and in a transaction of its own, with nothing slow in it." },
    { id: acrossId, title: "No work on rows is done under a lock that stops others", remedy: "Split the file: the change of schema in one transaction, the change of rows in another." },
    ...standardQueries.map(({ id, title }) => ({
      id: queryId(id),
      title: `${title} takes at most ${bounds.standardQueryMs} ms after the migration, or not much longer than before`,
      remedy: "Add the index that the query needs, in this migration or before it.",
    })),
  ];
}

const queryId = (id: string): string => `performance.query-${id}`;

export interface Measured {
  readonly owner: Client;
  readonly up: Migrated;
  readonly before: Snapshot;
  /** Median time of each standard query before, by id, where it ran. */
  readonly queriesBefore: ReadonlyMap<string, number>;
  readonly settle: (id: string, outcome: Outcome) => void;
}

/** The verdicts on what up was seen to do: time, rewrites, locks, and the standard queries in the state it leaves. */
export async function settlePerformance(context: RehearsalContext, measured: Measured): Promise<void> {
  const { bounds } = context.document;
  const { up, settle, before } = measured;
  const tookMs = up.endedAt - up.startedAt;
  settle(durationId, tookMs > bounds.migrationMs ? failed(`Took ${Math.round(tookMs)} ms.`) : passed(`Took ${Math.round(tookMs)} ms.`));
  settle(rewritesId, noneOf(rewrites(up, before), "No table got a new file."));
  settle(holdId, holdOutcome(up, before, bounds.lockHoldMs));
  settle(acrossId, noneOf(workUnderLocks(up, before), "Rows are worked on while nobody is stopped."));
  await settleQueries(context, measured);
}

/**
 * Times the standard queries in the state that up leaves. Where one is over its bound, once more after a vacuum: it comes by
 * itself within a minute or so, and a mass update without it leaves index-only scans blind.
 */
async function settleQueries({ document: { bounds, standardQueries } }: RehearsalContext, { owner, queriesBefore, settle }: Measured): Promise<void> {
  let vacuumed: Promise<unknown> | undefined;
  for (const { id, sql } of standardQueries) {
    settle(
      queryId(id),
      await attempt(async () => {
        const beforeMs = queriesBefore.get(id);
        const atOnceMs = await medianMs(owner, sql);
        if (atOnceMs <= bounds.standardQueryMs) return queryOutcome(beforeMs, atOnceMs, bounds.standardQueryMs);
        await (vacuumed ??= owner.query("VACUUM (ANALYZE)"));
        const outcome = queryOutcome(beforeMs, await medianMs(owner, sql), bounds.standardQueryMs);
        return { ...outcome, evidence: `${outcome.evidence} Before a vacuum came by: ${atOnceMs.toFixed(1)} ms.` };
      }),
    );
  }
}

function rewrites({ runs, file }: Migrated, before: Snapshot): string[] {
  return runs.flatMap(({ statement, trace }) =>
    statement.kind === "TruncateStmt"
      ? []
      : (trace?.rewrites ?? [])
          .filter((table) => rowsOf(before, table) > 0)
          .map((table) => `${placeOf(file, statement)} writes ${table} anew (${rowsOf(before, table)} rows here)`),
  );
}

/** Locks of a run that stop readers or writers of a table that was there, filled, before; one entry per table and mode. */
export function stoppingLocks({ tracer, samples }: Pick<Migrated, "tracer" | "samples">, before: Snapshot): HeldLock[] {
  const traced = tracer?.locks ?? [];
  const sampled = (samples?.locks ?? []).filter((lock) => !traced.some((other) => other.relation === lock.relation && other.mode === lock.mode && other.fromMs <= lock.toMs && lock.fromMs <= other.toMs));
  return [...traced, ...sampled].filter(({ mode, relation }) => stoppedBy(mode) !== "nobody" && rowsOf(before, relation) > 0);
}

/** How long the migration itself waited for a lock while it was said to hold it: the trace cannot tell the two apart. */
function heldMs(lock: HeldLock, { samples }: Pick<Migrated, "samples">): number {
  const waits = (samples?.waits ?? []).filter(({ isMigration, relation }) => isMigration && relation === lock.relation);
  const waitedMs = waits.reduce((sum, { fromMs, toMs }) => sum + Math.max(0, Math.min(toMs, lock.toMs) - Math.max(fromMs, lock.fromMs)), 0);
  return Math.max(0, lock.toMs - lock.fromMs - waitedMs);
}

function holdOutcome(up: Migrated, before: Snapshot, boundMs: number): Outcome {
  const locks = stoppingLocks(up, before).map((lock) => ({ ...lock, heldMs: heldMs(lock, up) }));
  const long = locks.filter((lock) => lock.heldMs > boundMs);
  const describe = (lock: HeldLock & { heldMs: number }) =>
    `${manualName(lock.mode)} on ${lock.relation}, which stops ${stoppedBy(lock.mode) === "readers" ? "readers and writers" : "writers"}, held ${Math.round(lock.heldMs)} ms${placeOfLock(up, lock)}`;
  const longest = locks.toSorted((one, other) => other.heldMs - one.heldMs)[0];
  return noneOf(long.map(describe), longest === undefined ? "No lock that stops anybody on a filled table." : `Longest: ${describe(longest)}.`);
}

function placeOfLock({ file }: Migrated, { statement }: HeldLock): string {
  const found = statement === undefined ? undefined : file.statements[statement];
  return found === undefined ? "" : `, from ${placeOf(file, found)}`;
}

/** Statements that read or wrote many rows while the transaction held, from before them, a lock that stops others. */
function workUnderLocks(up: Migrated, before: Snapshot): string[] {
  const locks = stoppingLocks(up, before).filter(({ source }) => source === "trace");
  return up.runs.flatMap(({ statement, trace, startedAt }) => {
    const startMs = startedAt - (up.tracer?.startedAt ?? 0);
    const held = locks.find((lock) => lock.statement !== undefined && lock.statement < statement.index && lock.toMs >= startMs);
    const scanned = (trace?.scans ?? []).filter(({ relation, rows }) => rowsOf(before, relation) > 0 && rows >= rowsOf(before, relation)).map(({ relation }) => relation);
    const writes = worksOnRows(statement) && (trace?.changedRows ?? 0) > 1;
    if (held === undefined || !(writes || (scanned.length > 0 && statement.kind !== "AlterTableStmt"))) return [];
    const what = writes ? `writes ${trace?.changedRows ?? 0} rows` : `reads ${scanned.join(", ")} from end to end`;
    return [`${placeOf(up.file, statement)} ${what} under ${manualName(held.mode)} on ${held.relation}, taken${placeOfLock(up, held).replace(", from", " at")}`];
  });
}

/** Statements whose work grows with the tables; an INSERT of written-out values does not. */
function worksOnRows({ kind, node }: Statement): boolean {
  if ("InsertStmt" in node) return !JSON.stringify(node.InsertStmt.selectStmt ?? {}).startsWith('{"SelectStmt":{"valuesLists"');
  return ["UpdateStmt", "DeleteStmt", "MergeStmt", "CreateTableAsStmt", "SelectStmt"].includes(kind);
}

/** Longer than before by this factor, a query that was over its bound already counts as made slower. */
const slowerBy = 1.5;

function queryOutcome(beforeMs: number | undefined, afterMs: number, boundMs: number): Outcome {
  const was = beforeMs === undefined ? "it could not run before" : `${beforeMs.toFixed(1)} ms before`;
  const evidence = `Median of ${timedRuns} runs: ${afterMs.toFixed(1)} ms; ${was}.`;
  if (afterMs <= boundMs) return passed(evidence);
  const wasSlow = beforeMs !== undefined && beforeMs > boundMs && afterMs <= beforeMs * slowerBy;
  return wasSlow ? passed(`${evidence} Over its bound of ${boundMs} ms at this size, as it was without the migration.`) : failed(evidence);
}

const timedRuns = 5;

/** Median time of each query, by id; one that fails is left out: it may need what the migration brings. */
export async function timeQueries(client: Client, queries: Expectations["standardQueries"]): Promise<ReadonlyMap<string, number>> {
  const times = new Map<string, number>();
  for (const { id, sql } of queries) await medianMs(client, sql).then((ms) => times.set(id, ms), () => {});
  return times;
}

async function medianMs(client: Client, sql: string): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < timedRuns; run += 1) {
    const startedAt = performance.now();
    await client.query(sql);
    times.push(performance.now() - startedAt);
  }
  return times.toSorted((one, other) => one - other)[Math.floor(timedRuns / 2)] ?? 0;
}
