/** One end of a supervised process. */
export interface ProcessExit {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly code: number | null;
  readonly signal: string | null;
}

/** What the supervisor says of a service. */
export interface SupervisorState {
  readonly up: boolean;
  readonly pid?: number;
  readonly uptimeMs?: number;
  /** False after someone stopped it by hand; default true. */
  readonly wantedUp?: boolean;
  /** Oldest first; may hold exits from before this start. */
  readonly exits: readonly ProcessExit[];
}

/** This many ends of a service that is starting are a crash loop, not bad luck. */
const crashLoopExits = 3;

/** EX_CONFIG of sysexits.h. */
const configurationError = 78;

/** How an orderly restart ends the process that ran before. */
const stopSignals: readonly (string | null)[] = ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"];

const portTaken = /address already in use|EADDRINUSE|could not bind|bind\(\) to .* failed|could not create any TCP\/IP sockets/i;
const badConfiguration =
  /\[emerg\]|invalid value for parameter|unrecognized configuration parameter|FATAL CONFIG FILE ERROR|error loading config|parsing YAML file/i;

/** The exits that count: since the start, and not the end of what ran before. */
export function exitsSince(state: SupervisorState, sinceMs: number): ProcessExit[] {
  return state.exits.filter((exit) => exit.atMs >= sinceMs && !stopSignals.includes(exit.signal));
}

/**
 * Why a service can never become healthy, as far as its supervisor and its log tell; undefined: it still may.
 * @param newLines what it logged since the wait began: an older run's complaints prove nothing.
 */
export function whyHopeless(state: SupervisorState, sinceMs: number, newLines: readonly string[]): string | undefined {
  if (state.wantedUp === false) return "it was stopped by hand";
  const exits = exitsSince(state, sinceMs);
  const last = exits.at(-1);
  if (last === undefined) return undefined;
  const log = newLines.join("\n");
  if (portTaken.test(log)) return `its port is taken by another process (${describeExit(last)})`;
  if (last.code === configurationError || badConfiguration.test(log)) return `its configuration is wrong (${describeExit(last)})`;
  if (exits.length >= crashLoopExits) return `it ended ${exits.length} times since its start, a crash loop (last: ${describeExit(last)})`;
  return undefined;
}

export function describeExit(exit: ProcessExit): string {
  return exit.signal === null ? `exit code ${exit.code ?? "unknown"}` : `killed by ${exit.signal}`;
}
