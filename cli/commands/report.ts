import { Argument } from "commander";
import { readFile } from "node:fs/promises";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { renderConsole } from "../../engine/report/console.ts";
import { findReports, readReport } from "../../engine/report/find.ts";
import { reportBase } from "../../engine/report/report.ts";
import { table } from "../console.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { project } from "../project.ts";

const kinds = { copy: "test-data-summary", migration: "migration-test-report", validation: "staging-validation-report", load: "load-test-report" } as const;
type Kind = keyof typeof kinds;

interface ReportOptions {
  readonly list: boolean;
}

export const addReport: AddCommand = (program, { console }) => {
  const command = program
    .command("report")
    .addArgument(new Argument("[kind]", "which").choices(Object.keys(kinds)).default("validation"))
    .description("the newest report of a stack again, and where its page is")
    .option("--list", "all of them, newest first", false)
    .action(async (kind: Kind, options: ReportOptions) => {
      const { stack, json, verbose } = globalsOf(command);
      const found = await findReports(project.reports, kinds[kind], stack);
      if (options.list) {
        console.result(json ? JSON.stringify(found, null, 2) : table(found.map(({ at, html, json: file }) => [at.toISOString(), html ?? file])));
        return;
      }
      const [newest] = found;
      if (newest === undefined) {
        throw new UnderstudyError(`Stack ${stack} has no ${kind} report in ${project.reports}.`, { exitCode: exitCode.usage });
      }
      if (json) console.result(await readFile(newest.json, "utf8"));
      else {
        console.result(renderConsole(await readReport(newest.json, reportBase), { color: console.color, verbose }));
        console.result(`Page: ${newest.html ?? "(deleted)"}`);
      }
    });
};
