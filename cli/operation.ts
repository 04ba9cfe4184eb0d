import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { exitCode, UnderstudyError } from "../engine/errors.ts";
import type { Console } from "./console.ts";
import { failureOf, type Diagnostic } from "./failures.ts";
import { openDisplay } from "./display/index.ts";
import { planOf, type PlannedChange } from "./plan.ts";
import type { OpenStack } from "./workspace.ts";

/** What an operation gives to the engine's own call. */
export interface EngineHooks {
  readonly onEvent: (event: EngineEvent) => void;
  readonly onOutput: (text: string) => void;
  readonly onError: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface OperationResult<Result> {
  readonly result: Result;
  /** What was done to each resource, or would be; components are none. */
  readonly changes: readonly PlannedChange[];
  readonly durationMs: number;
}

export function resourceName(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}

/**
 * Runs one operation of the engine under a display, and turns whatever goes wrong into one clear error.
 * The first Ctrl-C asks the engine to stop after what it is doing; the second ends it at once.
 */
export async function runOperation<Result>(
  open: OpenStack,
  options: { readonly title: string; readonly console: Console; readonly verbose: boolean; readonly quiet?: boolean },
  run: (hooks: EngineHooks) => Promise<Result>,
): Promise<OperationResult<Result>> {
  const { title, console, verbose, quiet = false } = options;
  const display = openDisplay({ title, console, quiet });
  const diagnostics: Diagnostic[] = [];
  const changes: PlannedChange[] = [];
  const abort = new AbortController();
  let interrupts = 0;
  const onInterrupt = () => {
    interrupts += 1;
    if (interrupts === 1) {
      console.note("Stopping after the current step; press Ctrl-C again to stop at once.");
      open.stack.cancel().catch(() => {});
      return;
    }
    abort.abort();
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onInterrupt);
  const startedAt = Date.now();
  try {
    const result = await run({
      onEvent: (event) => {
        const { diagnosticEvent } = event;
        if (diagnosticEvent?.severity === "error") {
          diagnostics.push({ resource: diagnosticEvent.urn === undefined || diagnosticEvent.urn === "" ? "" : resourceName(diagnosticEvent.urn), message: diagnosticEvent.message });
        }
        changes.push(...planOf(event));
        display.event(event);
      },
      onOutput: (text) => {
        if (verbose) console.note(text);
      },
      onError: (text) => {
        if (verbose) console.note(text);
      },
      signal: abort.signal,
    });
    const durationMs = Date.now() - startedAt;
    display.end(true);
    return { result, changes, durationMs };
  } catch (error) {
    display.end(false);
    if (interrupts > 0) {
      throw new UnderstudyError("Interrupted; what was done stays.", {
        exitCode: exitCode.interrupted,
        remedy: `Run it again to go on: understudy up --stack ${open.name}`,
        cause: error,
      });
    }
    throw failureOf(error, diagnostics);
  } finally {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onInterrupt);
  }
}
