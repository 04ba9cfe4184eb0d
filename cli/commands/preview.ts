import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { runOperation } from "../operation.ts";
import { planAsMarkdown, planAsText } from "../planText.ts";
import { addSettingOptions, overridesOf, type SettingOptions } from "../settings.ts";
import { openStack } from "../workspace.ts";

interface PreviewOptions extends SettingOptions {
  readonly diff: boolean;
  readonly markdown: boolean;
  readonly refresh: boolean;
  readonly expectNoChanges: boolean;
}

export const addPreview: AddCommand = (program, { console }) => {
  const command = program
    .command("preview")
    .description("what `up` would do; writes nothing anywhere")
    .option("--diff", "show the changed properties too", false)
    .option("--markdown", "for a pull-request comment, what is replaced or destroyed first", false)
    .option("--refresh", "look first at what really runs", false)
    .option("--expect-no-changes", "exit 6 when something would change", false);
  addSettingOptions(command).action(async (options: PreviewOptions) => {
    const { stack: name, json, verbose } = globalsOf(command);
    const overrides = overridesOf(options);
    const open = await openStack(name, { mode: "read", runsProgram: true, ...(overrides === undefined ? {} : { overrides }) });
    try {
      const { changes, durationMs } = await runOperation(
        open,
        { title: `Stack ${name}: preview`, console, verbose, quiet: true },
        (hooks) => open.stack.preview({ ...hooks, refresh: options.refresh }),
      );
      const plan = { stack: name, exists: open.exists, durationMs, changes };
      if (json) console.result(JSON.stringify(plan, null, 2));
      else if (options.markdown) console.result(planAsMarkdown(plan, options.diff));
      else console.result(planAsText(plan, { console, diff: options.diff }));
      const moving = changes.filter(({ operation }) => operation !== "same");
      if (options.expectNoChanges && moving.length > 0) {
        throw new UnderstudyError(`${moving.length} resource(s) would change, and none was expected to.`, { exitCode: exitCode.drift });
      }
    } finally {
      await open.close();
    }
  });
};
