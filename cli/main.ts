import { Command, CommanderError } from "commander";
import { exitCode, messageOf, UnderstudyError } from "../engine/errors.ts";
import { loadCommands } from "./commands/index.ts";
import { openConsole, styled } from "./console.ts";

const console = openConsole();
const program = new Command("understudy")
  .description("An isolated staging stack with masked production data, on which migrations are rehearsed and validated.")
  .option("-s, --stack <name>", "the stack", process.env["UNDERSTUDY_STACK"] ?? "local")
  .option("--json", "print the result as JSON", false)
  .option("-v, --verbose", "show what the engine prints, and the causes of errors", false)
  .showHelpAfterError("(add --help for what is allowed)")
  .configureHelp({ sortSubcommands: false, showGlobalOptions: true })
  .exitOverride();
for (const add of await loadCommands(process.argv.slice(2))) add(program, { console });
program.addHelpText(
  "after",
  `
Exit codes: 0 done, 1 unexpected, 2 usage or configuration, 3 provisioning, 4 a check failed, 5 a target missed,
6 drift, 7 something left behind, 130 interrupted.`,
);

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
  const verbose = process.argv.includes("--verbose") || process.argv.includes("-v");
  const line = error instanceof UnderstudyError ? error.line : `Unexpected: ${messageOf(error)}`;
  console.note(`${styled(console, "red", "error")} ${line}`);
  if (verbose) printCauses(error);
  else if (error instanceof Error && error.cause !== undefined) console.note("Add --verbose for the cause.");
  return error instanceof UnderstudyError ? error.exitCode : exitCode.unexpected;
}

function printCauses(error: unknown): void {
  for (let cause = error instanceof UnderstudyError ? error.cause : error; cause !== undefined; cause = cause instanceof Error ? cause.cause : undefined) {
    console.note(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
  }
}

// Whoever has something to put in order listens too, and ends the command when that is done.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) process.exit(exitCode.interrupted);
  });
}

try {
  await program.parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error);
}
// What the engine's client keeps open would hold the process for seconds; nothing is left to be written.
process.exit();
