import type { RehearsalContext } from "./context.ts";
import { migrate } from "./context.ts";
import { lintDefinitions, lintFile, lintOutcome } from "./lint/lint.ts";
import type { MigrationSection } from "./report.ts";
import { openSession } from "./run/session.ts";
import { runCycle } from "./scenarios/cycle.ts";
import { runScenario } from "./scenarios/declared.ts";
import { runGrowth } from "./scenarios/growth.ts";
import { runKills } from "./scenarios/kills.ts";
import { runLaterWrites } from "./scenarios/laterWrites.ts";
import { runLongReader } from "./scenarios/longReader.ts";
import { runOutOfOrder } from "./scenarios/outOfOrder.ts";
import { runRepeats } from "./scenarios/repeats.ts";
import { runRaces, runTraffic } from "./scenarios/traffic.ts";
import { Stage } from "./scenarios/stage.ts";
import { sectionOf } from "./section.ts";

/**
 * Rehearses one migration: first what is timed, alone; then what is not, two courses side by side.
 * @param options.advance leaves the base clone with the migration applied, for the next one
 */
export async function rehearseOne(context: RehearsalContext, options: { readonly advance: boolean }): Promise<{ section: MigrationSection; advanced: boolean }> {
  const { migration, board, onProgress, expectations } = context;
  const step = (message: string) => onProgress({ step: migration.name, message });
  await runLint(context);
  step("up, down, up");
  const cycle = await runCycle(context);
  step("live traffic");
  const traffic = await runTraffic(context, cycle);
  const growth = await runGrowth(context, cycle);
  step("kills, repeats, races, a long reader, the workload's scenarios");
  const stage = new Stage(context, cycle);
  await bothOf(
    async () => {
      await runRepeats(context, cycle, stage);
      await runLongReader(context, cycle, stage);
      await runKills(context, cycle, stage);
      await runLaterWrites(context, cycle, stage);
      await runRaces(context, cycle, stage);
      await stage.close();
    },
    async () => {
      for (const scenario of expectations.scenarios) await runScenario(context, scenario);
      await runOutOfOrder(context, cycle);
    },
  );
  const advanced = options.advance && (await migrate(context, context.base, "up", { mustSucceed: false })).succeeded;
  step(`${board.results.filter(({ status }) => status === "passed").length} of ${board.results.length} checks passed`);
  return { section: sectionOf({ migration, cycle, traffic, growth }), advanced };
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

async function bothOf(...courses: readonly (() => Promise<void>)[]): Promise<void> {
  const ended = await Promise.allSettled(courses.map((course) => course()));
  for (const end of ended) if (end.status === "rejected") throw end.reason;
}
