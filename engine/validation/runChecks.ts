import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, UnderstudyError } from "../errors.ts";
import type { OnProgress } from "../progress.ts";
import type { CheckResult } from "../report/check.ts";
import type { CheckContext, ValidationCheck } from "./check.ts";
import type { Outcome } from "./outcome.ts";

export interface RunOptions {
  /** Makes the context of one check; the signal is the check's own. */
  readonly contextOf: (signal: AbortSignal) => CheckContext;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
  /** Checks at the same time. Default 8. */
  readonly concurrency?: number;
  /** Cuts every check's own wait for what may come true later, in milliseconds. Default: none is cut. */
  readonly patienceMs?: number | undefined;
  /** Between two tries of a check that may come true later. Default 200. */
  readonly retryDelayMs?: number;
}

const defaultTimeoutMs = 5_000;

/**
 * Runs checks in parallel, then the measurements one by one; results come in the order of `checks`.
 * One that throws or runs out of time is errored, and so is nothing else.
 */
export async function runChecks(checks: readonly ValidationCheck[], options: RunOptions): Promise<CheckResult[]> {
  const results = new Map<string, CheckResult>();
  const runOne = async (check: ValidationCheck): Promise<void> => {
    options.signal?.throwIfAborted();
    const result = await runCheck(check, options);
    results.set(check.id, result);
    options.onProgress({
      step: check.category,
      message: `${check.title}: ${result.status}`,
      done: results.size,
      total: checks.length,
      unit: "checks",
    });
  };

  const queue = checks.filter((check) => check.alone !== true);
  const workers = Array.from({ length: options.concurrency ?? 8 }, async () => {
    for (let check = queue.shift(); check !== undefined; check = queue.shift()) await runOne(check);
  });
  await Promise.all(workers);
  for (const check of checks) if (check.alone === true) await runOne(check);
  return checks.flatMap((check) => results.get(check.id) ?? []);
}

/** Runs one check to its end: in time, tried again while it may still come true. */
export async function runCheck(check: ValidationCheck, options: RunOptions): Promise<CheckResult> {
  const startedAt = performance.now();
  const eventualMs = Math.min(check.eventualMs ?? 0, options.patienceMs ?? Number.POSITIVE_INFINITY);
  const timeoutMs = check.timeoutMs ?? defaultTimeoutMs + eventualMs;
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  const context = options.contextOf(signal);
  const base = { id: check.id, category: check.category, title: check.title };
  for (let tries = 1; ; tries += 1) {
    const { status, severity = check.severity, evidence, remedy, details } = await attempt(check, context, signal, timeoutMs);
    const elapsedMs = performance.now() - startedAt;
    const settled = status === "passed" || status === "skipped";
    if (settled || signal.aborted || elapsedMs >= eventualMs) {
      const waited = !settled && tries > 1 ? ` (still so after ${tries} tries in ${(elapsedMs / 1_000).toFixed(1)} s)` : "";
      return {
        ...base,
        severity,
        status,
        evidence: `${evidence}${waited}`,
        ...(remedy === undefined ? {} : { remedy }),
        durationMs: elapsedMs,
        ...(details === undefined ? {} : { details }),
      };
    }
    await sleep(options.retryDelayMs ?? 200, undefined, { signal }).catch(() => {});
  }
}

type Attempt = Omit<Outcome, "status"> & { readonly status: CheckResult["status"] };

async function attempt(check: ValidationCheck, context: CheckContext, signal: AbortSignal, timeoutMs: number): Promise<Attempt> {
  const outOfTime = new Promise<Attempt>((resolve) => {
    const end = () => resolve({ status: "errored", evidence: `It did not end within ${timeoutMs / 1_000} s.`, remedy: remedyOfErrored });
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  });
  const outcome = Promise.resolve()
    .then(() => check.run(context))
    .catch((error: unknown): Attempt => ({ status: "errored", evidence: `It could not run: ${reasonOf(error)}`, remedy: remedyOfError(error) }));
  return Promise.race([outcome, outOfTime]);
}

const remedyOfErrored = "See whether what it looks at is up and answers; then run validation again.";

function remedyOfError(error: unknown): string {
  return (error instanceof UnderstudyError ? error.remedy : undefined) ?? remedyOfErrored;
}

/** The text of an error with its innermost cause, where the real reason of a failed request is. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(messageOf).join("; ");
  const message = messageOf(error);
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause === undefined || error instanceof UnderstudyError) return message;
  return `${message}: ${reasonOf(cause)}`;
}
