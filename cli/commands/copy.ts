import { InvalidArgumentError } from "commander";
import { backupDatabase } from "../../engine/backup/index.ts";
import { classifySource } from "../../engine/copy/classify/classify.ts";
import { proposalYaml } from "../../engine/copy/classify/proposalYaml.ts";
import { copyData, planCopy, rollbackCopy } from "../../engine/copy/copy.ts";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { loadMaskingPolicy } from "../../engine/masking/policy.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { project } from "../project.ts";
import { showReport } from "../showReport.ts";
import { sourceOf } from "../source.ts";
import { deployedStack } from "../target.ts";
import { showProgress, untilInterrupted } from "../tracked.ts";

interface CopyOptions {
  readonly dryRun: boolean;
  readonly showOriginals: boolean;
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
    .option("--show-originals", "with --dry-run: originals beside their masks, as production has them", false)
    .option("--no-backup", "do not back up first what is overwritten")
    .action(async (options: CopyOptions) => {
      const { stack: name, json, verbose } = globalsOf(copy);
      if (options.showOriginals && !options.dryRun) {
        throw new UnderstudyError("--show-originals goes with --dry-run only.", { exitCode: exitCode.usage });
      }
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
          const plan = await planCopy({ ...common, showOriginals: options.showOriginals });
          console.result(json ? JSON.stringify(plan, null, 2) : plan.text);
          return;
        }
        if (options.backup) await backupDatabase({ staging, stack: name, folder: project.reports, onProgress, signal });
        const { report, files } = await copyData(common);
        showReport(console, report, files, { json, verbose });
        if (report.verdict === "failed") throw new UnderstudyError("The copy was not switched in.", { exitCode: exitCode.checkFailed, remedy: `Look at ${files.html}` });
      });
    });
  const classify = copy
    .command("classify")
    .description("propose a rule for every column of production, as a masking.yaml on stdout; no value is shown or leaves production")
    .option("--missing", "only columns that masking.yaml does not name; exit 4 when there are any", false)
    .action(async ({ missing }: { readonly missing: boolean }) => {
      const { stack: name, json } = globalsOf(classify);
      const { connection, allowWritable, workload } = await sourceOf(name);
      await untilInterrupted(async (signal) => {
        const found = await classifySource({
          source: connection,
          allowWritableSource: allowWritable,
          ...(missing ? { missingFrom: await loadMaskingPolicy(workload) } : {}),
          onProgress: showProgress(console, { quiet: json }),
          signal,
        });
        console.result(json ? JSON.stringify(found, null, 2) : proposalYaml(found).trimEnd());
        const withoutRule = [...(found.columns > 0 ? [`${found.columns} column(s)`] : []), ...(found.largeObjects === undefined ? [] : ["large objects"])];
        if (missing && withoutRule.length > 0) {
          throw new UnderstudyError(`${withoutRule.join(" and ")} have no rule in ${workload.path(workload.manifest.copy.masking)}.`, {
            exitCode: exitCode.checkFailed,
            remedy: "Look at the proposals, then add them there.",
          });
        }
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
