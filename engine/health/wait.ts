import { setTimeout as sleep } from "node:timers/promises";
import { exitCode, UnderstudyError } from "../errors.ts";
import { silent } from "../progress.ts";
import type { OnProgress } from "../progress.ts";
import { interrupted } from "../postgres/session.ts";
import { redact } from "../redact.ts";
import type { Listener } from "./listener.ts";
import { listenerOf } from "./listener.ts";
import { probe } from "./probe.ts";
import type { ProbeResult } from "./probe.ts";
import { documentHealth, patienceMs, startProbing } from "./settings.ts";
import type { HealthSettings } from "./settings.ts";
import type { HealthSpec } from "./spec.ts";
import { exitsSince, whyHopeless } from "./supervisor.ts";
import type { SupervisorState } from "./supervisor.ts";

export interface WaitUntilHealthy {
  /** For messages. */
  readonly name: string;
  /** Default document 004's. */
  readonly settings?: HealthSettings;
  /** What the supervisor says now. */
  readonly observe: () => Promise<SupervisorState>;
  /** The log's last lines. */
  readonly logTail: () => Promise<readonly string[]>;
  /** Kept out of the error's message, wherever they occur in the log or a probe. */
  readonly secrets?: readonly string[];
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/** How long it must be up where that is needed: after an end in this start, or when it cannot be told whose answer came. */
const steadyMs = 1_500;

/** Ends shortly before the wait belong to this start: the service runs before it is waited for. */
const slackMs = 1_000;

/** The passwords that the probe itself knows. */
function secretsIn(spec: HealthSpec): string[] {
  if (spec.kind === "postgres") return [spec.connection.password];
  if (spec.kind === "redis") return spec.password === undefined ? [] : [spec.password];
  return [];
}

/**
 * Waits until a service works, and gives up at once when it never can: a crash loop, a taken port, a wrong configuration,
 * a wrong password, someone stopped it.
 * @returns the probe that succeeded.
 * @throws UnderstudyError exit 3 with the reason, the last probe and the log's tail; exit 130 when interrupted.
 */
export async function waitUntilHealthy(spec: HealthSpec, options: WaitUntilHealthy): Promise<ProbeResult> {
  const { name, settings = documentHealth, observe, logTail, onProgress = silent, signal } = options;
  const secrets = [...(options.secrets ?? []), ...secretsIn(spec)];
  const startedAtMs = Date.now();
  const sinceMs = startedAtMs - slackMs;
  const deadlineMs = startedAtMs + patienceMs(settings);
  const linesBefore = await logTail();
  let delayMs: number = startProbing.firstDelayMs;
  let reported = "";

  for (;;) {
    const result = await probe(spec, signal, settings.timeoutMs);
    const state = await observe();
    const listener: Listener = result.ok && state.pid !== undefined ? await listenerOf(spec, state.pid) : { whose: "unknown" };
    if (result.ok && isSteady(state, sinceMs, listener)) return result;

    const lines = await logTail();
    const reason = whyHopeless(state, sinceMs, linesAfter(linesBefore, lines)) ?? whyOfProbe(result, state, listener);
    if (reason !== undefined) throw failure(`${name} cannot become healthy: ${reason}.`, result, lines, secrets);
    if (Date.now() >= deadlineMs) {
      const waitedS = Math.round((Date.now() - startedAtMs) / 1_000);
      throw failure(`${name} did not become healthy within ${waitedS} s.`, result, lines, secrets);
    }
    const seen = redact(result.ok ? "answers, but its process is not steady yet" : result.detail, secrets);
    if (seen !== reported) onProgress({ step: "health", message: `${name}: not yet: ${seen}` });
    reported = seen;
    await pause(Math.min(delayMs, Math.max(1, deadlineMs - Date.now())), signal);
    delayMs = Math.min(delayMs * startProbing.growth, startProbing.longestDelayMs);
  }
}

function isSteady(state: SupervisorState, sinceMs: number, listener: Listener): boolean {
  if (!state.up || listener.whose === "other") return false;
  const { uptimeMs = steadyMs } = state;
  return (listener.whose === "own" && exitsSince(state, sinceMs).length === 0) || uptimeMs >= steadyMs;
}

function whyOfProbe(result: ProbeResult, state: SupervisorState, listener: Listener): string | undefined {
  if (listener.whose === "other") {
    return `its port is taken by another process (${listener.process.pid}: ${listener.process.command})`;
  }
  return result.permanent && state.up ? "waiting cannot change this" : undefined;
}

/** The lines that came after `before` ended; all of them once the log has moved on entirely. */
function linesAfter(before: readonly string[], now: readonly string[]): readonly string[] {
  for (let shift = 0; shift <= before.length; shift += 1) {
    const kept = before.slice(shift);
    if (kept.every((line, place) => now[place] === line)) return now.slice(kept.length);
  }
  return now;
}

function failure(what: string, last: ProbeResult, lines: readonly string[], secrets: readonly string[]): UnderstudyError {
  const log = lines.filter((line) => line.trim() !== "");
  const tail = log.length === 0 ? "Its log is empty." : `The end of its log:\n${log.map((line) => `  ${line}`).join("\n")}`;
  return new UnderstudyError(redact(`${what} Last probe: ${last.detail}.\n${tail}`, secrets), {
    exitCode: exitCode.provisioning,
  });
}

async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(delayMs, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    throw signal?.aborted === true ? interrupted("Waiting for health") : error;
  });
}
