import { InvalidArgumentError } from "commander";
import { backupDatabase } from "../../engine/backup/index.ts";
import { copyData, planCopy, rollbackCopy } from "../../engine/copy/copy.ts";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { project } from "../project.ts";
import { showReport } from "../showReport.ts";
import { deployedStack } from "../target.ts";
import { showProgress, untilInterrupted } from "../tracked.ts";

interface CopyOptions {
  readonly dryRun: boolean;
  readonly limit?: number;
  readonly backup: boolean;
}

function positive(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("It must be a whole number of at least 1.");
  return Number(text);
}

export const addCopy: AddCommand = (program, { console }) => {
  const copy = program.command("copy").description("copy masked production data into staging, switched in when it is proved");
  copy
    .option("--dry-run", "show what would be copied and how each column is treated; nothing is written", false)
    .option("--limit <n>", "root rows, with all that belongs to them", positive)
    .option("--no-backup", "do not back up first what is overwritten")
    .action(async (options: CopyOptions) => {
      const { stack: name, json, verbose } = globalsOf(copy);
      const stack = await deployedStack(name);
      const { staging } = stack.description;
      await untilInterrupted(async (signal) => {
        const onProgress = showProgress(console, { quiet: json });
        const common = {
          ...stack.copying,
          staging,
          workload: stack.workload,
          stack: name,
          limit: options.limit ?? stack.copying.limit,
          reportsFolder: project.reports,
          onProgress,
          signal,
        };
        if (options.dryRun) {
          const plan = await planCopy(common);
          console.result(json ? JSON.stringify(plan, null, 2) : plan.text);
          return;
        }
        if (options.backup) await backupDatabase({ staging, stack: name, folder: project.reports, onProgress, signal });
        const { report, files } = await copyData(common);
        showReport(console, report, files, { json, verbose });
        if (report.verdict === "failed") throw new UnderstudyError("The copy was not switched in.", { exitCode: exitCode.checkFailed, remedy: `Look at ${files.html}` });
      });
    });
  copy
    .command("rollback")
    .description("switch the database back that was there before the last copy")
    .action(async () => {
      const { stack: name } = globalsOf(copy);
      const stack = await deployedStack(name);
      const onProgress = showProgress(console, { quiet: false });
      const { previous } = await rollbackCopy({ staging: stack.description.staging, stack: name, onProgress });
      console.result(`Stack ${name} runs on the database from before the last copy; the other one is kept as ${previous}.`);
    });
};
