import { messageOf } from "../../errors.ts";
import { Board } from "../board.ts";
import type { RehearsalContext } from "../context.ts";
import { keptRows, largeRows, reduceRows } from "../clones/reduce.ts";
import type { Reduction } from "../clones/reduce.ts";
import { describeRefusal } from "../run/apply.ts";
import { openSession } from "../run/session.ts";
import { rowsOf } from "../state/snapshot.ts";
import type { Snapshot } from "../state/snapshot.ts";
import { runCycle } from "./cycle.ts";
import type { Cycle } from "./cycle.ts";

/** The same migration on a small clone: what its scenarios work with, and a main course of its own to compare with. */
export interface Reduced {
  readonly context: RehearsalContext;
  readonly cycle: Cycle;
  readonly reduction: Reduction;
}

export function isLarge(before: Snapshot | undefined): boolean {
  return before !== undefined && before.tables.some(({ name }) => rowsOf(before, name) > largeRows);
}

/**
 * Clones the base once more and makes it small. What a kill, a repetition, an order or a reader in the way does to a migration
 * does not hang on the number of rows; that it treats every row rightly was seen in the main course, at full size.
 * Believed only when up runs through there as it did at full size.
 *
 * @returns why not, when there is no such clone
 */
export async function reduce(context: RehearsalContext, full: Cycle): Promise<Reduced | string> {
  const base = await context.clones.clone(context.base, context.signal);
  try {
    const reduction = await reduceClone(context, base, full);
    const quiet = { up: { attempted: 0, succeeded: 0 }, down: { attempted: 0, succeeded: 0 } };
    const small = { ...context, base, targetRows: undefined };
    const cycle = await runCycle({ ...small, board: new Board(), tally: quiet });
    if (cycle.up?.succeeded !== true) {
      await context.clones.drop(base);
      return `on a reduced clone up is refused, which at full size it is not: ${describeRefusal(cycle.up?.refusal)}`;
    }
    const note = `(On a clone of ${reduction.rowsAfter} rows.)`;
    return { context: { ...small, board: context.board.apart(note) }, cycle, reduction };
  } catch (error) {
    if (context.signal?.aborted === true) throw error;
    await context.clones.drop(base);
    return `the clone could not be reduced: ${messageOf(error)}`;
  }
}

async function reduceClone(context: RehearsalContext, clone: string, { before }: Cycle): Promise<Reduction> {
  const client = await openSession(context.clones.settings(clone, "admin"), "understudy observer");
  try {
    const rows = new Map(before?.tables.map(({ name }) => [name, before === undefined ? 0 : rowsOf(before, name)]));
    return await reduceRows(client, rows, keptRows);
  } finally {
    await client.end().catch(() => {});
  }
}
