import type { Client } from "pg";
import { failed, passed, Pointless, skipped } from "../board.ts";
import type { CheckDefinition, Outcome } from "../board.ts";
import { migrate, withClone, withObserver, withRole } from "../context.ts";
import type { Migrated, RehearsalContext } from "../context.ts";
import { describeRefusal } from "../run/apply.ts";
import { takeSnapshot } from "../state/snapshot.ts";
import type { Snapshot } from "../state/snapshot.ts";
import { extrapolate } from "./extrapolation.ts";
import type { Extrapolation, Point } from "./extrapolation.ts";
import type { Cycle } from "./cycle.ts";
import { stoppingLocks } from "./measured.ts";

/** Time of up at production's size, as a range. */
export interface Growth {
  readonly targetRows: number;
  readonly durations: readonly Point[];
  readonly duration: Extrapolation;
  readonly holds: readonly Point[];
  readonly hold: Extrapolation;
}

const time: CheckDefinition = { id: "performance.extrapolated-time", title: "At production's size the migration ends in time", remedy: "Work in batches that can be interrupted, and run it ahead of the deployment." };
const hold: CheckDefinition = { id: "performance.extrapolated-lock-hold", title: "At production's size no lock that stops others is held long", remedy: "Take the lock last and in a transaction of its own; build and validate outside it." };

/**
 * Measures up at several sizes, made by the workload's `grow`, and draws the line through them and the main course on to `targetRows`.
 * @param from a context whose base is grown: a small one, for a line is known best by points that lie far apart
 */
export async function runGrowth(context: RehearsalContext, cycle: Cycle, from: RehearsalContext): Promise<Growth | undefined> {
  const { board, document, targetRows, signal } = context;
  let growth: Growth | undefined;
  await board.group([time, hold], async (settle) => {
    if (targetRows === undefined) return [time, hold].forEach(({ id }) => settle(id, skipped("Production's number of rows is not known (targetRows).")));
    const { grow } = document;
    if (grow === undefined) return [time, hold].forEach(({ id }) => settle(id, skipped("The workload does not say how to grow (`grow` in its expectations).")));
    const { up, before } = cycle;
    if (up?.succeeded !== true || before === undefined) throw new Pointless("Needs logic.up-applies, which failed.");
    const rows = await withRole(context, context.base, "owner", (owner) => countRows(owner, grow.count));
    const durations: Point[] = [{ rows, ms: up.endedAt - up.startedAt }];
    const holds: Point[] = [{ rows, ms: heldOf(up, before) }];
    for (const rows of grow.rows) {
      const measured = await measure(from, grow, rows);
      durations.push({ rows: measured.rows, ms: measured.tookMs });
      holds.push({ rows: measured.rows, ms: measured.heldMs });
    }
    growth = { targetRows, durations, duration: extrapolate(durations, targetRows), holds, hold: extrapolate(holds, targetRows) };
    settle(time.id, outcomeOf("Takes", growth.duration, targetRows, durations, document.bounds.migrationMs));
    settle(hold.id, outcomeOf("Held", growth.hold, targetRows, holds, document.bounds.lockHoldMs));
  }, { signal });
  return growth;
}

/** Fails when even the low end of the range is over the bound; says so when only the high end is. */
function outcomeOf(verb: string, { lowMs, estimateMs, highMs }: Extrapolation, targetRows: number, points: readonly Point[], boundMs: number): Outcome {
  const seen = points.map(({ rows, ms }) => `${Math.round(ms)} ms at ${rows}`).join(", ");
  const evidence = `${verb} about ${Math.round(estimateMs)} ms at ${targetRows} rows (${Math.round(lowMs)} to ${Math.round(highMs)} ms), from ${seen}.`;
  if (lowMs > boundMs) return failed(`${evidence} Bound: ${boundMs} ms.`);
  return passed(highMs > boundMs ? `${evidence} The high end is over the bound of ${boundMs} ms: rehearse at a larger size to know.` : evidence);
}

async function measure(context: RehearsalContext, grow: { readonly sql: string; readonly count: string }, wanted: number): Promise<{ rows: number; tookMs: number; heldMs: number }> {
  return withClone(context, async (clone) => {
    const rows = await withRole(context, clone, "owner", async (owner) => {
      const parameter = Math.round(wanted);
      await owner.query({ text: grow.sql, values: [parameter] });
      await owner.query("ANALYZE");
      return countRows(owner, grow.count);
    });
    const before = await withObserver(context, clone, (observer) => takeSnapshot(observer));
    const run = await migrate(context, clone, "up", { trace: true });
    if (!run.succeeded) throw new Error(`at ${rows} rows, up was refused: ${describeRefusal(run.refusal)}`);
    return { rows, tookMs: run.endedAt - run.startedAt, heldMs: heldOf(run, before) };
  });
}

function heldOf(run: Migrated, before: Snapshot): number {
  return Math.max(0, ...stoppingLocks(run, before).map(({ fromMs, toMs }) => toMs - fromMs));
}

async function countRows(owner: Client, sql: string): Promise<number> {
  const { rows } = await owner.query<unknown[]>({ text: sql, rowMode: "array" });
  return Number(rows[0]?.[0] ?? 0);
}
