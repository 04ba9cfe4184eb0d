import { failed, noneOf, Pointless, skipped } from "../board.ts";
import type { CheckDefinition, Outcome } from "../board.ts";
import { migrate, withClone, withObserver } from "../context.ts";
import type { RehearsalContext } from "../context.ts";
import { describeRefusal } from "../run/apply.ts";
import type { Direction, Migration } from "../source/statement.ts";
import { checksumAll, sameChecksum } from "../state/checksums.ts";
import type { RowChecksum } from "../state/checksums.ts";
import { writtenAnew } from "../state/restored.ts";
import type { WrittenAnew } from "../state/restored.ts";
import { compareSchemas, describeDifference } from "../state/schema.ts";
import { takeSnapshot } from "../state/snapshot.ts";
import type { Snapshot } from "../state/snapshot.ts";
import type { Cycle } from "./cycle.ts";

const upFirst: CheckDefinition = {
  id: "edge-cases.later-one-first",
  title: "Run before this one, the next migration is refused, or both come to the same",
  severity: "warning",
  remedy: "Let the next migration fail when what it builds on is not there (name the column, the table, the value), or make the two independent.",
};
const downFirst: CheckDefinition = {
  id: "edge-cases.earlier-one-back-first",
  title: "Turned back before the next one, this migration is refused, or both come back whole",
  severity: "warning",
  remedy: "Drop without CASCADE, so that the server refuses while the next migration's work hangs on it; turn back only what this one noted down.",
};

/** The order that two merged branches can come to: this migration and the next, up the wrong way round, and down. */
export async function runOutOfOrder(context: RehearsalContext, cycle: Cycle): Promise<void> {
  const { next, migration, board, signal } = context;
  if (next === undefined) return;
  await board.group([upFirst, downFirst], async (settle) => {
    if (cycle.before === undefined || cycle.afterUp === undefined) throw new Pointless("Needs logic.up-applies, which failed.");
    const start: State = { snapshot: cycle.before, anew: () => [], sums: cycle.before.rows };
    await withClone(context, async (both) => {
      const up = await inTurn(context, both, { direction: "up", order: [migration, next], start });
      settle(upFirst.id, await withClone(context, (clone) => outOfTurn(context, clone, { direction: "up", order: [next, migration], start, wanted: up })));
      if (migration.down === undefined || next.down === undefined) return settle(downFirst.id, skipped("One of the two has no way back."));
      await withClone(context, async (clone) => {
        const down = await inTurn(context, both, { direction: "down", order: [next, migration], start: up });
        settle(downFirst.id, await outOfTurn(context, clone, { direction: "down", order: [migration, next], start: up, wanted: down }));
      }, both);
    });
  }, { signal });
}

/** A state of a clone, and what of it no two courses can agree on. */
interface State {
  readonly snapshot: Snapshot;
  readonly anew: WrittenAnew;
  /** Without what is written anew. */
  readonly sums: ReadonlyMap<string, RowChecksum | string>;
}

interface CourseOfTwo {
  readonly direction: Direction;
  readonly order: readonly [Migration, Migration];
  readonly start: State;
}

/** @throws Error when one is refused in its own turn: that is another check's finding. */
async function inTurn(context: RehearsalContext, clone: string, { direction, order, start }: CourseOfTwo): Promise<State> {
  const run = await withObserver(context, clone, async (observer) => {
    const { rows } = await observer.query<{ since: string; timeZone: string }>(
      `SELECT clock_timestamp()::text AS since, reset_val AS "timeZone" FROM pg_settings WHERE name = 'TimeZone'`,
    );
    return rows[0] ?? { since: "", timeZone: "UTC" };
  });
  for (const migration of order) {
    const refused = await refusalOf(context, clone, migration, direction);
    if (refused !== undefined) throw new Error(`in their turn, ${refused}`);
  }
  return withObserver(context, clone, async (observer) => {
    const snapshot = await takeSnapshot(observer);
    const anew = await writtenAnew(observer, start.snapshot, snapshot, run);
    return { snapshot, anew, sums: await checksumAll(observer, snapshot.tables, anew, snapshot.rows) };
  });
}

async function outOfTurn(context: RehearsalContext, clone: string, { direction, order: [first, second], start, wanted }: CourseOfTwo & { readonly wanted: State }): Promise<Outcome> {
  const refused = await refusalOf(context, clone, first, direction);
  if (refused !== undefined) {
    const left = await differences(context, clone, start);
    return noneOf(left.map((finding) => `${first.name} was refused and left something: ${finding}`), `Refused, and nothing changed: ${refused}.`);
  }
  const stuck = await refusalOf(context, clone, second, direction);
  if (stuck !== undefined) return failed(`${first.name} ${direction} went through before its turn; then ${stuck}`);
  const other = await differences(context, clone, wanted);
  return noneOf(other.map((finding) => `${first.name} ${direction} went through before its turn: ${finding}`), "Both come to the same in either order.");
}

/** Why the server refused it, in one line. */
async function refusalOf(context: RehearsalContext, clone: string, migration: Migration, direction: Direction): Promise<string | undefined> {
  const { succeeded, refusal } = await migrate({ ...context, migration }, clone, direction, { mustSucceed: false });
  return succeeded ? undefined : describeRefusal(refusal).split("\n", 1)[0];
}

async function differences(context: RehearsalContext, clone: string, wanted: State): Promise<string[]> {
  return withObserver(context, clone, async (observer) => {
    const now = await takeSnapshot(observer);
    const sums = await checksumAll(observer, now.tables, wanted.anew, now.rows);
    const schema = compareSchemas(wanted.snapshot.schema, now.schema).filter(({ kind }) => kind !== "column order");
    const rows = [...wanted.sums].filter(([name, sum]) => sums.has(name) && !sameChecksum(sum, sums.get(name))).map(([name]) => `other rows in ${name}`);
    return [...schema.map(describeDifference), ...rows];
  });
}
