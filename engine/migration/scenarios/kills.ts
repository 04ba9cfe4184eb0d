import { noneOf, passed, Pointless, skipped } from "../board.ts";
import type { CheckDefinition } from "../board.ts";
import { migrate, withObserver } from "../context.ts";
import type { RehearsalContext } from "../context.ts";
import { describeRefusal } from "../run/apply.ts";
import { openSession } from "../run/session.ts";
import { relationName } from "../source/scope.ts";
import { placeOf } from "../source/statement.ts";
import type { MigrationFile, Statement } from "../source/statement.ts";
import { checksumAll, sameChecksum } from "../state/checksums.ts";
import { compareSchemas, describeDifference } from "../state/schema.ts";
import { takeSnapshot } from "../state/snapshot.ts";
import type { Snapshot } from "../state/snapshot.ts";
import type { Cycle } from "./cycle.ts";
import type { Stage } from "./stage.ts";

const mostKills = 8;

const nothingHalfApplied: CheckDefinition = {
  id: "rollback.killed-leaves-nothing",
  title: "Killed after any statement, the migration leaves nothing half applied",
  remedy: "Run the file in one transaction; or see to it that it can be run again from any point.",
};
const recovers: CheckDefinition = {
  id: "rollback.killed-recovers",
  title: "After a kill at any statement, running the file again gives the same result",
  remedy: "Make every statement repeatable: IF NOT EXISTS, DROP INDEX CONCURRENTLY IF EXISTS before it is built, batches that find what is left.",
};

/** Ends the migration's session at each statement in turn, then runs the file again. */
export async function runKills(context: RehearsalContext, cycle: Cycle, stage: Stage): Promise<void> {
  const { up } = context.migration;
  await context.board.group([nothingHalfApplied, recovers], async (settle) => {
    const { before, afterUp } = cycle;
    if (before === undefined || afterUp === undefined) throw new Pointless("Needs logic.up-applies, which failed.");
    const kills = spread(up.statements, mostKills);
    if (up.withoutTransaction === undefined) {
      await stage.use("before", async (clone) => {
        const left = await killInTransaction(context, clone, kills, before);
        settle(nothingHalfApplied.id, noneOf(left, `Killed after ${kills.length} of ${up.statements.length} statements; schema and rows were as before each time.`));
        const findings = await recover(context, clone, cycle, afterUp);
        settle(recovers.id, noneOf(findings, "The file ran through and gave the same schema and rows."));
        return left.length + findings.length === 0 ? "after" : "unknown";
      });
      return;
    }
    settle(nothingHalfApplied.id, passed(`The file does not run in one transaction (${up.withoutTransaction}); what a kill leaves, the next run must finish.`));
    // After its last statement the file is done: running it again then is another check.
    const midway = spread(up.statements.filter((statement) => !isLast(up, statement) || buildsConcurrently(statement)), mostKills);
    if (midway.length === 0) return settle(recovers.id, skipped("A single statement that PostgreSQL does whole or not at all."));
    const findings: string[] = [];
    for (const statement of midway) {
      await stage.use("before", async (clone) => {
        await kill(context, clone, statement);
        const left = await recover(context, clone, cycle, afterUp);
        findings.push(...left.map((finding) => `killed at ${placeOf(up, statement)}: ${finding}`));
        return left.length === 0 ? "after" : "unknown";
      });
    }
    settle(recovers.id, noneOf(findings, `Killed at ${midway.length} of ${up.statements.length} statements; each time the file then ran through to the same schema and rows.`));
  }, { signal: context.signal });
}

async function killInTransaction(context: RehearsalContext, clone: string, kills: readonly Statement[], before: Snapshot): Promise<string[]> {
  return withObserver(context, clone, async (observer) => {
    const findings: string[] = [];
    for (const statement of kills) {
      await kill(context, clone, statement);
      const now = await takeSnapshot(observer);
      const differences = compareSchemas(before.schema, now.schema).map(describeDifference);
      const rows = before.tables.filter(({ name }) => !sameChecksum(before.rows.get(name), now.rows.get(name))).map(({ name }) => `rows of ${name} changed`);
      findings.push(...[...differences, ...rows].map((finding) => `killed after ${placeOf(context.migration.up, statement)}: ${finding}`));
      if (findings.length > 0) break;
    }
    return findings;
  });
}

/** Ends the session once the statement ran; an index being built concurrently is caught in the middle. */
async function kill(context: RehearsalContext, clone: string, victim: Statement): Promise<void> {
  let pid = 0;
  const release = await holdUpConcurrently(context, clone, victim);
  try {
    const run = migrate(context, clone, "up", {
      mustSucceed: false,
      onStart: (started) => {
        pid = started.pid;
      },
      beforeStatement: (statement) => {
        if (statement.index === victim.index && release !== undefined) setTimeout(() => void context.clones.terminate(pid).catch(() => {}), 100);
      },
      afterStatement: async (statement) => {
        if (statement.index === victim.index) await context.clones.terminate(pid);
      },
    });
    const outcome = await run;
    if (outcome.succeeded && !isLast(context.migration.up, victim)) throw new Error(`the kill at ${placeOf(context.migration.up, victim)} came too late`);
  } finally {
    await release?.();
  }
}

function isLast(file: MigrationFile, statement: Statement): boolean {
  return statement.index === file.statements.length - 1;
}

function buildsConcurrently({ node }: Statement): boolean {
  return "IndexStmt" in node && node.IndexStmt.concurrent === true;
}

/** A transaction with a write lock on the table makes CREATE INDEX CONCURRENTLY wait after its first phase. */
async function holdUpConcurrently(context: RehearsalContext, clone: string, { node }: Statement): Promise<(() => Promise<void>) | undefined> {
  if (!("IndexStmt" in node) || node.IndexStmt.concurrent !== true) return undefined;
  const client = await openSession(context.clones.settings(clone, "admin"), "understudy blocker");
  try {
    await client.query("BEGIN");
    await client.query(`LOCK TABLE ${relationName(node.IndexStmt.relation) ?? ""} IN ROW EXCLUSIVE MODE`);
    return () => client.end().catch(() => {});
  } catch {
    // The table is made by the migration itself: nobody can hold it up.
    await client.end().catch(() => {});
    return undefined;
  }
}

async function recover(context: RehearsalContext, clone: string, cycle: Cycle, afterUp: Snapshot): Promise<string[]> {
  const again = await migrate(context, clone, "up");
  if (!again.succeeded) return [`running it again fails: ${describeRefusal(again.refusal)}`];
  return withObserver(context, clone, async (observer) => {
    const now = await takeSnapshot(observer);
    const schema = compareSchemas(afterUp.schema, now.schema).filter(({ kind }) => kind !== "column order").map(describeDifference);
    const sums = await checksumAll(observer, now.tables, cycle.anew, now.rows);
    const differing = afterUp.tables.filter(({ name }) => !sameChecksum(cycle.repeatable.get(name), sums.get(name)));
    return [...schema, ...differing.map(({ name }) => `rows of ${name} are not as after an undisturbed run`)];
  });
}

/** At most `most` of them, the first and the last always. */
export function spread<Item>(items: readonly Item[], most: number): Item[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, index) => items[Math.round((index * (items.length - 1)) / (most - 1))]).filter((item) => item !== undefined);
}
