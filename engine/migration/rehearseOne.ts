import type { RehearsalContext } from "./context.ts";
import { migrate } from "./context.ts";
import { lintDefinitions, lintFile, lintOutcome } from "./lint/lint.ts";
import type { MigrationSection } from "./report.ts";
import { runCycle } from "./scenarios/cycle.ts";
import { runScenario } from "./scenarios/declared.ts";
import { runGrowth } from "./scenarios/growth.ts";
import { runKills } from "./scenarios/kills.ts";
import { runLongReader } from "./scenarios/longReader.ts";
import { runRepeats } from "./scenarios/repeats.ts";
import { runRaces, runTraffic } from "./scenarios/traffic.ts";
import { sectionOf } from "./section.ts";

/**
 * Rehearses one migration: first what is timed, alone; then what is not, two scenarios at a time.
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
  await inPairs([
    () => runLongReader(context, cycle),
    () => runKills(context, cycle),
    () => runRaces(context, cycle),
    () => runRepeats(context, cycle),
    ...expectations.scenarios.map((scenario) => () => runScenario(context, scenario)),
  ]);
  const advanced = options.advance && (await migrate(context, context.base, "up", { mustSucceed: false })).succeeded;
  step(`${board.results.filter(({ status }) => status === "passed").length} of ${board.results.length} checks passed`);
  return { section: sectionOf({ migration, cycle, traffic, growth }), advanced };
}

async function runLint({ board, migration }: RehearsalContext): Promise<void> {
  const findings = lintFile(migration.up);
  for (const definition of lintDefinitions) {
    await board.check(definition, () => lintOutcome(definition.rule, findings, migration.up.statements.length));
  }
}

async function inPairs(tasks: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = [...tasks];
  const work = async (): Promise<void> => {
    for (let task = queue.shift(); task !== undefined; task = queue.shift()) await task();
  };
  const ended = await Promise.allSettled([work(), work()]);
  for (const end of ended) if (end.status === "rejected") throw end.reason;
}
