import type { RehearsalContext } from "./context.ts";
import { migrate } from "./context.ts";
import { lintDefinitions, lintFile, lintOutcome } from "./lint/lint.ts";
import type { MigrationSection } from "./report.ts";
import { openSession } from "./run/session.ts";
import { runCycle } from "./scenarios/cycle.ts";
import type { Cycle } from "./scenarios/cycle.ts";
import { runScenario } from "./scenarios/declared.ts";
import { runGrowth } from "./scenarios/growth.ts";
import { runKills } from "./scenarios/kills.ts";
import { runLaterWrites } from "./scenarios/laterWrites.ts";
import { runLongReader } from "./scenarios/longReader.ts";
import { runOutOfOrder } from "./scenarios/outOfOrder.ts";
import { isLarge, reduce } from "./scenarios/reduced.ts";
import type { Reduced } from "./scenarios/reduced.ts";
import { runRepeats } from "./scenarios/repeats.ts";
import { runRaces, runTraffic } from "./scenarios/traffic.ts";
import { Stage } from "./scenarios/stage.ts";
import { sectionOf } from "./section.ts";
import { rowsOf } from "./state/snapshot.ts";

/**
 * Rehearses one migration. What is timed (up and down, live traffic, growth) runs alone and at full size. The scenarios that
 * run it again and again are not timed: on a large database they run on a small clone, beside the main course's last up.
 * @param options.advance leaves the base clone with the migration applied, for the next one
 */
export async function rehearseOne(context: RehearsalContext, options: { readonly advance: boolean }): Promise<{ section: MigrationSection; advanced: boolean }> {
  const { migration, board, onProgress } = context;
  const step = (message: string) => onProgress({ step: migration.name, message });
  await runLint(context);
  step("up, down, up");
  const timed = Promise.withResolvers<Cycle>();
  const main = runCycle(context, timed.resolve);
  main.then(timed.resolve, timed.reject);
  const [cycle, small] = await bothOf(main, timed.promise.then((begun) => rehearseSmall(context, begun, step)));
  if (typeof small === "object" && cycle.clone !== undefined) await context.clones.drop(cycle.clone);
  step("live traffic");
  const traffic = await runTraffic(context, cycle);
  const growth = await runGrowth(context, cycle, typeof small === "object" ? small.context : context);
  if (typeof small !== "object") {
    step(scenarioStep);
    await runScenarios(context, cycle);
  } else await context.clones.drop(small.context.base);
  const advanced = options.advance && (await migrate(context, context.base, "up", { mustSucceed: false })).succeeded;
  step(`${board.results.filter(({ status }) => status === "passed").length} of ${board.results.length} checks passed`);
  return { section: sectionOf({ migration, cycle, traffic, growth, scale: scaleOf(cycle, small) }), advanced };
}

const scenarioStep = "kills, repeats, races, a long reader, the workload's scenarios";

/** The scenarios on a small clone, where the database is large; what the workload declares must pass there or is played at full size too. */
async function rehearseSmall(context: RehearsalContext, begun: Cycle, step: (message: string) => void): Promise<Reduced | string | undefined> {
  if (!isLarge(begun.before) || begun.afterUp === undefined) return undefined;
  step("a small clone, beside the last up");
  const small = await reduce(context, begun);
  if (typeof small === "string") return small;
  step(scenarioStep);
  await runScenarios(small.context, small.cycle, context);
  context.board.adopt(small.context.board);
  return small;
}

/** @param full where a declared scenario that does not pass is played once more: it may count on rows that a small clone lacks */
async function runScenarios(context: RehearsalContext, cycle: Cycle, full?: RehearsalContext): Promise<void> {
  const stage = new Stage(context, cycle);
  const engine = async (): Promise<void> => {
    await runRepeats(context, cycle, stage);
    await runLongReader(context, cycle, stage);
    await runKills(context, cycle, stage);
    await runLaterWrites(context, cycle, stage);
    await runRaces(context, cycle, stage);
    await stage.close();
  };
  const declared = async (): Promise<void> => {
    for (const scenario of context.expectations.scenarios) {
      const passes = await runScenario(context, scenario);
      if (full !== undefined && !passes) await runScenario(full, scenario);
    }
    await runOutOfOrder(context, cycle);
  };
  await bothOf(engine(), declared());
}

function scaleOf({ before }: Cycle, small: Reduced | string | undefined): MigrationSection["scale"] {
  const rows = before === undefined ? 0 : before.tables.reduce((sum, { name }) => sum + rowsOf(before, name), 0);
  const main = ["up, down, up again", "live traffic"];
  const rest = ["kills", "repeats", "order", "a long reader", "session settings", "later writes", "races", "the workload's scenarios", "growth"];
  if (typeof small !== "object") return [{ scenarios: [...main, ...rest], rows, why: small ?? "The database is small: everything runs on all of it." }];
  return [
    { scenarios: main, rows, why: "What is timed, and what must hold for every row, runs at full size." },
    {
      scenarios: rest,
      rows: small.reduction.rowsAfter,
      why: "Runs the migration again and again to interrupt, repeat or block it, which does not hang on the number of rows: on a clone with rows of every kind, and with what they point to.",
    },
  ];
}

/** The owner's sessions may have a lock_timeout by their role or database, as many tools set one when they connect. */
async function runLint({ board, migration, clones, base }: RehearsalContext): Promise<void> {
  const session = await openSession(clones.settings(base, "owner"), "understudy rehearsal");
  const { rows } = await session.query<{ bounded: boolean }>("SELECT setting <> '0' AS bounded FROM pg_settings WHERE name = 'lock_timeout'").finally(() => session.end());
  const findings = lintFile(migration.up, { hasLockTimeout: rows[0]?.bounded === true });
  for (const definition of lintDefinitions) {
    await board.check(definition, () => lintOutcome(definition.rule, findings, migration.up.statements.length));
  }
}

/** Lets both end before the first error is thrown: what still runs may use the other's clones. */
async function bothOf<One, Other>(one: Promise<One>, other: Promise<Other>): Promise<[One, Other]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}
