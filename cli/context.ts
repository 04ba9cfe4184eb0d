import type { Command } from "commander";
import type { Console } from "./console.ts";

/** What every command has. */
export interface CommandContext {
  readonly console: Console;
}

/** Options that stand before or after any command. */
export interface GlobalOptions {
  readonly stack: string;
  readonly verbose: boolean;
  readonly json: boolean;
}

/** The global options, wherever on the command line they stood. */
export function globalsOf(command: Command): GlobalOptions {
  return command.optsWithGlobals<GlobalOptions>();
}

/** Adds one command to the program. */
export type AddCommand = (program: Command, context: CommandContext) => void;
