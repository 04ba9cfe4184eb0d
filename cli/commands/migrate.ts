import { findNewestBackup } from "../backups.ts";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { rehearseMigrations } from "../../engine/migration/rehearse.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { listOf, wholeNumber } from "../settings.ts";
import { project } from "../project.ts";
import { copyReport, showReport, type CopiesOptions } from "../showReport.ts";
import { deployedStack } from "../target.ts";
import { showProgress, untilInterrupted } from "../tracked.ts";

interface TestOptions extends CopiesOptions {
  readonly only?: string[];
  readonly skip?: string[];
  readonly keepClone: boolean;
  readonly targetRows?: number;
}

export const addMigrate: AddCommand = (program, { console }) => {
  const migrate = program.command("migrate").description("rehearse the workload's migrations");
  const test = migrate
    .command("test")
    .description("up, down and up again on a clone of staging; a verdict, and why (exit 4 when it cannot ship)")
    .option("--only <categories>", "prerequisites, logic, integrity, rollback, performance, edge-cases, or ids of checks; comma-separated", listOf)
    .option("--skip <categories>", "categories or checks to leave out; what is skipped is never passed", listOf)
    .option("--keep-clone", "keep the clone, with the migrations applied, to look at", false)
    .option("--target-rows <n>", "production's rows, to extrapolate the time to", wholeNumber)
    .option("--junit <file>", "the result as JUnit XML too")
    .option("--html <file>", "the page there too")
    .action(async (options: TestOptions) => {
      const { stack: name, json, verbose } = globalsOf(test);
      await untilInterrupted(async (signal) => {
        const stack = await deployedStack(name);
        const backupFile = await findNewestBackup(name);
        const { only, skip, keepClone, targetRows } = options;
        const { report, files } = await rehearseMigrations({
          staging: stack.description.staging,
          workload: stack.workload,
          stack: name,
          reportsFolder: project.reports,
          keepClone,
          ...(backupFile === undefined ? {} : { backupFile }),
          ...(only === undefined ? {} : { only }),
          ...(skip === undefined ? {} : { skip }),
          ...(targetRows === undefined ? {} : { targetRows }),
          onProgress: showProgress(console, { quiet: json }),
          signal,
        });
        await copyReport(files, options);
        showReport(console, report, files, { json, verbose });
        if (report.keptClone !== undefined) console.note(`Clone: database ${report.keptClone} beside staging, with the migrations applied. Drop it when it has served.`);
        if (report.verdict === "failed") {
          throw new UnderstudyError("The migrations cannot ship as they are.", { exitCode: exitCode.checkFailed, remedy: `Look at ${files.html}` });
        }
      });
    });
};
