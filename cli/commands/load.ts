import { InvalidArgumentError } from "commander";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { headlineOf } from "../../engine/load/page.ts";
import { loadPlanOf } from "../../engine/load/plan.ts";
import { runLoad, smokeProfile } from "../../engine/load/run.ts";
import { table } from "../console.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { project } from "../project.ts";
import { copyReport, showReport, type CopiesOptions } from "../showReport.ts";
import { deployedStack } from "../target.ts";
import { showProgress, untilInterrupted } from "../tracked.ts";

interface LoadCommandOptions extends CopiesOptions {
  readonly list: boolean;
  readonly duration?: number;
  readonly rate?: number;
}

/** `45`, `45s`, `30m`, `24h` in seconds. */
function duration(text: string): number {
  const [, amount, unit = "s"] = /^([1-9]\d*)([smh]?)$/.exec(text) ?? [];
  const seconds = Number(amount) * { s: 1, m: 60, h: 3_600, "": 1 }[unit as "s"];
  if (amount === undefined || seconds > 86_400) throw new InvalidArgumentError("It must be a time of at most a day, like 45s, 30m or 24h.");
  return seconds;
}

function rate(text: string): number {
  if (!/^[1-9]\d*$/.test(text) || Number(text) > 10_000) throw new InvalidArgumentError("It must be a whole number from 1 to 10000.");
  return Number(text);
}

export const addLoad: AddCommand = (program, { console }) => {
  const command = program
    .command("load")
    .argument("[profile]", "smoke: every journey once; or a profile of the workload", smokeProfile)
    .description("smoke tests, or load at a steady rate whatever the answers; exit 5 when a target is missed")
    .option("--list", "the workload's profiles", false)
    .option("--duration <time>", "longer or shorter, its shape kept: 45s, 30m, 24h", duration)
    .option("--rate <n>", "the highest rate in requests a second, its shape kept", rate)
    .option("--junit <file>", "the result as JUnit XML too")
    .option("--html <file>", "the page there too")
    .action(async (profile: string, options: LoadCommandOptions) => {
      const { stack: name, json, verbose } = globalsOf(command);
      const stack = await deployedStack(name);
      if (options.list) {
        const { profiles, journeys } = await loadPlanOf(stack.workload);
        const listed = [
          { name: smokeProfile, title: `every journey once (${journeys.length})` },
          ...Object.entries(profiles).map(([key, { title, stages }]) => ({ name: key, title: `${title}: ${stages.map(({ seconds, requestsPerSecond }) => `${seconds} s at ${requestsPerSecond}/s`).join(", ")}` })),
        ];
        console.result(json ? JSON.stringify(listed, null, 2) : table(listed.map((each) => [each.name, each.title])));
        return;
      }
      await untilInterrupted(async (signal) => {
        const result = await runLoad({
          target: stack.target,
          workload: stack.workload,
          profile,
          reportsFolder: project.reports,
          seconds: options.duration,
          requestsPerSecond: options.rate,
          onProgress: showProgress(console, { quiet: json }),
          signal,
        });
        await copyReport(result.files, options);
        showReport(console, result.report, result.files, { json, verbose });
        if (result.exitCode === exitCode.done) return;
        throw new UnderstudyError(headlineOf(result.report), {
          exitCode: result.exitCode,
          remedy: `Look at ${result.files.html}`,
        });
      });
    });
};
