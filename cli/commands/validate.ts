import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { validateStaging } from "../../engine/validation/validate.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { listOf } from "../settings.ts";
import { project } from "../project.ts";
import { copyReport, showReport, type CopiesOptions } from "../showReport.ts";
import { deployedStack } from "../target.ts";
import { showProgress, untilInterrupted } from "../tracked.ts";

interface ValidateOptions extends CopiesOptions {
  readonly quick: boolean;
  readonly only?: string[];
  readonly skip?: string[];
}

export const addValidate: AddCommand = (program, { console }) => {
  const command = program
    .command("validate")
    .description("check the whole stack (exit 4 when a check fails)")
    .option("--quick", "the essential checks only", false)
    .option("--only <ids>", "categories or check ids, comma-separated", listOf)
    .option("--skip <ids>", "categories or check ids to leave out; what is skipped is never passed", listOf)
    .option("--junit <file>", "the result as JUnit XML too")
    .option("--html <file>", "the page there too")
    .action(async (options: ValidateOptions) => {
      const { stack: name, json, verbose } = globalsOf(command);
      const stack = await deployedStack(name);
      const { quick, only, skip } = options;
      await untilInterrupted(async (signal) => {
        const { report, files } = await validateStaging({
          target: stack.target,
          workload: stack.workload,
          reportsFolder: project.reports,
          quick,
          ...(only === undefined ? {} : { only }),
          ...(skip === undefined ? {} : { skip }),
          onProgress: showProgress(console, { quiet: json }),
          signal,
        });
        await copyReport(files, options);
        showReport(console, report, files, { json, verbose });
        if (report.verdict === "failed") {
          throw new UnderstudyError("The stack is not what it should be.", { exitCode: exitCode.checkFailed, remedy: `Look at ${files.html}` });
        }
      });
    });
};
