import { InvalidArgumentError, Option, type Command } from "commander";
import { parse } from "yaml";
import type { Overrides } from "./stackFile.ts";

/** Options that change the configuration of a stack, and stay with it until it is destroyed. */
export interface SettingOptions {
  readonly portOffset?: number | "auto";
  readonly sourceUsers?: number;
  readonly workload?: string;
  readonly set: Overrides;
}

function portOffset(text: string): number | "auto" {
  if (text === "auto") return text;
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number, or "auto".');
  return Number(text);
}

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

function setting(text: string, earlier: Overrides): Overrides {
  const match = /^([A-Za-z][A-Za-z0-9.]*)=(.*)$/s.exec(text);
  if (match === null) throw new InvalidArgumentError("It must be KEY=VALUE, such as ports.app=4001 or monitoring.enabled=false.");
  const [, key = "", value = ""] = match;
  return { ...earlier, [key]: parse(value) };
}

export function addSettingOptions(command: Command): Command {
  return command
    .addOption(new Option("--port-offset <n|auto>", "add N to every port; auto: the first hundred that is free").argParser(portOffset))
    .addOption(new Option("--source-users <n>", "users of the sample production").argParser(wholeNumber))
    .addOption(new Option("--workload <name|folder>", "a folder under workloads/, or your own"))
    .addOption(new Option("--set <key=value>", "any key of docs/configuration.md; may be repeated").argParser(setting).default({}, "none"));
}

/** The settings by their configuration key; `undefined` when none was given. */
export function overridesOf({ portOffset, sourceUsers, workload, set }: SettingOptions): Overrides | undefined {
  const overrides = {
    ...(portOffset === undefined ? {} : { portOffset }),
    ...(sourceUsers === undefined ? {} : { "source.users": sourceUsers }),
    ...(workload === undefined ? {} : { workload }),
    ...set,
  };
  return Object.keys(overrides).length === 0 ? undefined : overrides;
}

/** `a,b , c` → three words. */
export function listOf(text: string): string[] {
  const words = text.split(",").map((word) => word.trim()).filter((word) => word !== "");
  if (words.length === 0) throw new InvalidArgumentError("It must name at least one.");
  return words;
}
