import { join, relative } from "node:path";
import type { OutputMap } from "@pulumi/pulumi/automation/index.js";
import { seconds, styled, table, type Console } from "../console.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { runOperation } from "../operation.ts";
import { countByOperation } from "../plan.ts";
import { findProgram } from "../../engine/process/findProgram.ts";
import { project } from "../project.ts";
import { addSettingOptions, overridesOf, type SettingOptions } from "../settings.ts";
import { openStack } from "../workspace.ts";

/** How many resources each operation touched. */
type Changes = ReturnType<typeof countByOperation>;

interface UpOptions extends SettingOptions {
  readonly refresh: boolean;
}

export const addUp: AddCommand = (program, { console }) => {
  const command = program
    .command("up")
    .description("make the stack what its configuration says: deploy, copy masked data, rehearse migrations, validate")
    .option("-y, --yes", "accepted for scripts; up never asks", false)
    .option("--no-refresh", "trust the state; do not look first at what really runs")
    .addHelpText("after", "\nWhat did not change does not run again. To copy, rehearse or validate anew: understudy copy | migrate test | validate.");
  addSettingOptions(command).action(async (options: UpOptions) => {
    const { stack: name, json, verbose } = globalsOf(command);
    const overrides = overridesOf(options);
    const open = await openStack(name, { mode: "write", runsProgram: true, ...(overrides === undefined ? {} : { overrides }) });
    const { result, changes: planned, durationMs } = await runOperation(open, { title: `Stack ${name}: up`, console, verbose, quiet: json }, (hooks) =>
      open.stack.up({ ...hooks, refresh: options.refresh && open.exists }),
    );
    const changes = countByOperation(planned);
    if (json) console.result(JSON.stringify({ stack: name, changes, durationMs, ...plainOutputs(result.outputs) }, null, 2));
    else console.result(summary(console, { name, changes, durationMs, outputs: result.outputs }));
  });
};

/** Outputs that are no secret. */
export function plainOutputs(outputs: OutputMap): Record<string, unknown> {
  return Object.fromEntries(Object.entries(outputs).filter(([, { secret }]) => !secret).map(([name, { value }]) => [name, value]));
}

/** How this person calls the command: by name where it is on PATH, else from where they stand. */
function commandName(): string {
  const launcher = join(project.root, "cli", "understudy");
  if (findProgram("understudy") !== undefined) return "understudy";
  const path = relative(process.cwd(), launcher);
  return path.startsWith("..") ? launcher : path;
}

function describeChanges(changes: Changes): string {
  const { same, ...others } = changes;
  const parts = Object.entries(others).filter(([, count]) => count > 0).map(([operation, count]) => `${count} ${operation}`);
  return parts.length === 0 ? `nothing changed (${same} resources)` : `${parts.join(", ")}, ${same} unchanged`;
}

function record(value: unknown): [string, string][] {
  return typeof value === "object" && value !== null ? Object.entries(value).map(([key, text]) => [key, String(text)]) : [];
}

function summary(console: Console, done: { readonly name: string; readonly changes: Changes; readonly durationMs: number; readonly outputs: OutputMap }): string {
  const { name, changes, durationMs, outputs } = done;
  const heading = (text: string) => styled(console, "bold", text);
  const flag = name === "local" ? "" : ` --stack ${name}`;
  const self = commandName();
  return [
    "",
    `${styled(console, "green", "ready")} stack ${name} in ${seconds(durationMs)}: ${describeChanges(changes)}`,
    "",
    heading("Where"),
    table(record(outputs["urls"]?.value).map((row) => ["", ...row])),
    "",
    heading("Reports"),
    table(record(outputs["reports"]?.value).map((row) => ["", ...row])),
    "",
    heading("Next"),
    table([
      ["", `${self} status${flag}`, "what runs, and how it is"],
      ["", `${self} outputs${flag} --env`, "connection strings for your shell"],
      ["", `${self} migrate test${flag}`, "rehearse the migrations again"],
      ["", `${self} validate${flag} --quick`, "the essential checks"],
      ["", `${self} destroy${flag}`, "take it all down"],
    ]),
    "",
  ].join("\n");
}

