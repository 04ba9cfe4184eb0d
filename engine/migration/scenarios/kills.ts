import { noneOf, passed, Pointless, skipped } from "../board.ts";
import type { CheckDefinition, Outcome } from "../board.ts";
import { migrate, withObserver } from "../context.ts";
import type { Migrated, RehearsalContext, Running } from "../context.ts";
import { describeRefusal } from "../run/apply.ts";
import { openSession } from "../run/session.ts";
import { relationName } from "../source/scope.ts";
import { placeOf } from "../source/statement.ts";
import type { Direction, MigrationFile, Statement } from "../source/statement.ts";
import { checksumAll, sameChecksum } from "../state/checksums.ts";
import { compareSchemas, describeDifference } from "../state/schema.ts";
import { takeSnapshot } from "../state/snapshot.ts";
import type { Snapshot } from "../state/snapshot.ts";
import type { Cycle } from "./cycle.ts";
import type { Stage } from "./stage.ts";

const mostKills = 8;
/** What the kills of one direction may take by the main course's timing; beyond it fewer statements are tried, two at least. */
const budgetMs = 30_000;
/** A loop with commits of its own is caught in the middle when it runs at least this long. */
const shortestLoopMs = 20;

const halfApplied: Readonly<Record<Direction, CheckDefinition>> = {
  up: {
    id: "rollback.killed-leaves-nothing",
    title: "Killed after any statement, the migration leaves nothing half applied",
    remedy: "Run the file in one transaction; or see to it that it can be run again from any point.",
  },
  down: {
    id: "rollback.killed-down-leaves-nothing",
    title: "Killed after any statement, the rollback leaves nothing half undone",
    remedy: "Run the file in one transaction; or see to it that it can be run again from any point.",
  },
};
const recovers: Readonly<Record<Direction, CheckDefinition>> = {
  up: {
    id: "rollback.killed-recovers",
    title: "After a kill at any statement, running the file again gives the same result",
    remedy: "Make every statement repeatable: IF NOT EXISTS, DROP INDEX CONCURRENTLY IF EXISTS before it is built, batches that find what is left.",
  },
  down: {
    id: "rollback.killed-down-recovers",
    title: "After a kill at any statement of the rollback, running it again brings everything back",
    remedy: "Make every statement of down repeatable: IF EXISTS, batches that find what is left to turn back.",
  },
};

type Settle = (id: string, outcome: Outcome) => void;

/** Where a session is ended: once the statement ran, or in the middle of it. */
interface KillPoint {
  readonly statement: Statement;
  /** After this long in the statement; undefined: once it ran. */
  readonly afterMs: number | undefined;
}

/** Ends the migration's session at each statement in turn, then runs the file again; up first, then down. */
export async function runKills(context: RehearsalContext, cycle: Cycle, stage: Stage): Promise<void> {
  for (const direction of ["up", "down"] as const) {
    await context.board.group([halfApplied[direction], recovers[direction]], async (settle) => {
      if (cycle.before === undefined || cycle.afterUp === undefined) throw new Pointless("Needs logic.up-applies, which failed.");
      if (direction === "down" && !cycle.restores) throw new Pointless("Needs a rollback that was seen to bring back every row and the whole schema.");
      await killsOf(context, { cycle, stage, settle, direction });
    }, { signal: context.signal });
  }
}

interface Killing {
  readonly cycle: Cycle;
  readonly stage: Stage;
  readonly settle: Settle;
  readonly direction: Direction;
}

async function killsOf(context: RehearsalContext, { cycle, stage, settle, direction }: Killing): Promise<void> {
  const file = fileOf(context, direction);
  const [start, end] = direction === "up" ? (["before", "after"] as const) : (["after", "before"] as const);
  const [leaves, again] = [halfApplied[direction].id, recovers[direction].id];
  const most = Math.min(mostKills, Math.max(2, Math.floor(budgetMs / Math.max(1, tookMs(cycle.up) + tookMs(cycle.down)))));
  if (file.withoutTransaction === undefined) {
    const kills = spread(file.statements, most).map((statement): KillPoint => ({ statement, afterMs: undefined }));
    await stage.use(start, async (clone) => {
      const left = await killInTransaction(context, clone, direction, kills);
      settle(leaves, noneOf(left, `Killed after ${kills.length} of ${file.statements.length} statements; schema and rows were as before each time.`));
      const findings = await recover(context, clone, cycle, direction);
      settle(again, noneOf(findings, "The file ran through and gave the same schema and rows."));
      return left.length + findings.length === 0 ? end : "unknown";
    });
    return;
  }
  settle(leaves, passed(`The file does not run in one transaction (${file.withoutTransaction}); what a kill leaves, the next run must finish.`));
  const points = spread(pointsOf(file, direction === "up" ? cycle.up : cycle.down), most);
  if (points.length === 0) return settle(again, skipped("A single statement that PostgreSQL does whole or not at all."));
  const findings: string[] = [];
  for (const point of points) {
    await stage.use(start, async (clone) => {
      await kill(context, clone, direction, point);
      const left = await recover(context, clone, cycle, direction);
      findings.push(...left.map((finding) => `killed ${point.afterMs === undefined ? "at" : "in the middle of"} ${placeOf(file, point.statement)}: ${finding}`));
      return left.length === 0 ? end : "unknown";
    });
  }
  settle(again, noneOf(findings, `Killed at ${points.map(({ statement, afterMs }) => `line ${statement.line}${afterMs === undefined ? "" : " in the middle"}`).join(", ")} of ${file.name}; each time the file then ran through to the same schema and rows.`));
}

/**
 * Statements of a file without a transaction after which a kill leaves something. After its last statement the file is done:
 * running it again then is another check. Loops that commit as they go are killed half way through.
 */
function pointsOf(file: MigrationFile, run: Migrated | undefined): KillPoint[] {
  return file.statements.flatMap((statement): KillPoint[] => {
    if (["VariableSetStmt", "SelectStmt"].includes(statement.kind)) return [];
    const timed = run?.runs.find((one) => one.statement.index === statement.index);
    const durationMs = timed === undefined ? 0 : timed.endedAt - timed.startedAt;
    if (["DoStmt", "CallStmt"].includes(statement.kind) && durationMs >= shortestLoopMs) return [{ statement, afterMs: durationMs / 2 }];
    return !isLast(file, statement) || buildsConcurrently(statement) ? [{ statement, afterMs: undefined }] : [];
  });
}

async function killInTransaction(context: RehearsalContext, clone: string, direction: Direction, kills: readonly KillPoint[]): Promise<string[]> {
  return withObserver(context, clone, async (observer) => {
    const before = await takeSnapshot(observer);
    const findings: string[] = [];
    for (const point of kills) {
      await kill(context, clone, direction, point);
      const now = await takeSnapshot(observer);
      const differences = compareSchemas(before.schema, now.schema).map(describeDifference);
      const rows = before.tables.filter(({ name }) => !sameChecksum(before.rows.get(name), now.rows.get(name))).map(({ name }) => `rows of ${name} changed`);
      findings.push(...[...differences, ...rows].map((finding) => `killed after ${placeOf(fileOf(context, direction), point.statement)}: ${finding}`));
      if (findings.length > 0) break;
    }
    return findings;
  });
}

/** Ends the session once the statement ran, or in its middle; an index being built concurrently is always caught in the middle. */
async function kill(context: RehearsalContext, clone: string, direction: Direction, { statement: victim, afterMs }: KillPoint): Promise<void> {
  const file = fileOf(context, direction);
  let running: Running | undefined;
  let timer: NodeJS.Timeout | undefined;
  const release = await holdUpConcurrently(context, clone, victim);
  const midwayMs = release === undefined ? afterMs : 100;
  try {
    const outcome = await migrate(context, clone, direction, {
      mustSucceed: false,
      onStart: (started) => {
        running = started;
      },
      beforeStatement: async (statement) => {
        if (statement.index === victim.index && midwayMs !== undefined) timer = setTimeout(() => void running?.end().catch(() => {}), midwayMs);
        // Without a transaction around the file, what a statement did is committed when the next one's turn comes.
        if (statement.index === victim.index + 1 && file.withoutTransaction !== undefined) await running?.end();
      },
      afterStatement: async (statement) => {
        if (statement.index === victim.index && (file.withoutTransaction === undefined || isLast(file, victim))) await running?.end();
      },
    });
    if (outcome.succeeded && !isLast(file, victim)) throw new Error(`the kill at ${placeOf(file, victim)} came too late`);
  } finally {
    clearTimeout(timer);
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

/** Runs the file again and holds what it leaves against an undisturbed run: for up that of the main course, for down the state before. */
async function recover(context: RehearsalContext, clone: string, cycle: Cycle, direction: Direction): Promise<string[]> {
  const again = await migrate(context, clone, direction);
  if (!again.succeeded) return [`running it again fails: ${describeRefusal(again.refusal)}`];
  const wanted: Snapshot | undefined = direction === "up" ? cycle.afterUp : cycle.before;
  if (wanted === undefined) return [];
  return withObserver(context, clone, async (observer) => {
    const now = await takeSnapshot(observer);
    const schema = compareSchemas(wanted.schema, now.schema).filter(({ kind }) => kind !== "column order").map(describeDifference);
    const sums = direction === "up" ? await checksumAll(observer, now.tables, cycle.anew, now.rows) : now.rows;
    const wantedSums = direction === "up" ? cycle.repeatable : wanted.rows;
    const differing = wanted.tables.filter(({ name }) => !sameChecksum(wantedSums.get(name), sums.get(name)));
    return [...schema, ...differing.map(({ name }) => `rows of ${name} are not as after an undisturbed run`)];
  });
}

function fileOf({ migration }: RehearsalContext, direction: Direction): MigrationFile {
  const file = direction === "up" ? migration.up : migration.down;
  if (file === undefined) throw new Error(`${migration.name} has no ${direction} file`);
  return file;
}

function tookMs(run: Migrated | undefined): number {
  return run === undefined ? 0 : run.endedAt - run.startedAt;
}

/** At most `most` of them, the first and the last always. */
export function spread<Item>(items: readonly Item[], most: number): Item[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, index) => items[Math.round((index * (items.length - 1)) / (most - 1))]).filter((item) => item !== undefined);
}
