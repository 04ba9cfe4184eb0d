import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import type { Console } from "../console.ts";
import { liveDisplay } from "./live.ts";
import { plainDisplay } from "./plain.ts";

/** Shows what the engine does while it does it. */
export interface Display {
  event(event: EngineEvent): void;
  end(succeeded: boolean): void;
}

export interface DisplayOptions {
  readonly title: string;
  readonly console: Console;
}

const noDisplay: Display = { event: () => {}, end: () => {} };

/** Live on a terminal, plain lines elsewhere, nothing when quiet. */
export function openDisplay(options: DisplayOptions & { readonly quiet: boolean }): Display {
  if (options.quiet) return noDisplay;
  return options.console.live ? liveDisplay(options) : plainDisplay(options);
}
