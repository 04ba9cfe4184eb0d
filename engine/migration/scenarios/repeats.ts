import { noneOf, Pointless, skipped } from "../board.ts";
import type { CheckDefinition, Outcome } from "../board.ts";
import { migrate, withObserver } from "../context.ts";
import type { RehearsalContext } from "../context.ts";
import { describeRefusal } from "../run/apply.ts";
import type { Refusal } from "../run/apply.ts";
import type { Direction } from "../source/statement.ts";
import { sameChecksum } from "../state/checksums.ts";
import { compareSchemas, describeDifference } from "../state/schema.ts";
import { takeSnapshot } from "../state/snapshot.ts";
import type { Snapshot } from "../state/snapshot.ts";
import type { Cycle } from "./cycle.ts";
import type { Stage } from "./stage.ts";

const twice: CheckDefinition = {
  id: "edge-cases.run-twice",
  title: "Run a second time, the migration changes nothing more",
  remedy: "Let its statements find only what is not done yet; a sum or a product in an UPDATE is never repeatable.",
};
const downFirst: CheckDefinition = {
  id: "edge-cases.down-before-up",
  title: "Run before its migration, the rollback changes nothing",
  severity: "warning",
  remedy: "Undo only what the migration noted down as its own doing.",
};

/** Runs up twice, and down without up: neither may change anything; a clean refusal is as good. */
export async function runRepeats(context: RehearsalContext, cycle: Cycle, stage: Stage): Promise<void> {
  const { board, signal } = context;
  await board.group([twice], async (settle) => {
    if (cycle.afterUp === undefined) throw new Pointless("Needs logic.up-applies, which failed.");
    await stage.use("after", async (clone) => {
      const outcome = await withoutEffect(context, clone, "up");
      settle(twice.id, outcome);
      return outcome.status === "passed" ? "after" : "unknown";
    });
  }, { signal });
  await board.group([downFirst], async (settle) => {
    if (context.migration.down === undefined) return settle(downFirst.id, skipped("There is no down file."));
    if (context.migration.down.tool !== undefined) return settle(downFirst.id, skipped("A tool goes by its own notes: it would turn back what was applied earlier."));
    await stage.use("before", async (clone) => {
      const outcome = await withoutEffect(context, clone, "down");
      settle(downFirst.id, outcome);
      return outcome.status === "passed" ? "before" : "unknown";
    });
  }, { signal });
}

async function withoutEffect(context: RehearsalContext, clone: string, direction: Direction): Promise<Outcome> {
  return withObserver(context, clone, async (observer) => {
    const before = await takeSnapshot(observer);
    const { succeeded, refusal } = await migrate(context, clone, direction, { mustSucceed: false });
    return noneOf(differences(before, await takeSnapshot(observer)), succeeded ? "It ran and changed nothing." : `It was refused and changed nothing: ${shortly(refusal)}.`);
  });
}

function differences(before: Snapshot, after: Snapshot): string[] {
  const rows = before.tables.filter(({ name }) => !sameChecksum(before.rows.get(name), after.rows.get(name))).map(({ name }) => `rows of ${name} changed`);
  return [...compareSchemas(before.schema, after.schema).map(describeDifference), ...rows];
}

function shortly(refusal: Refusal | undefined): string {
  return describeRefusal(refusal).split("\n", 1)[0] ?? "";
}
