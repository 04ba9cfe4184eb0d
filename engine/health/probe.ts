import { messageOf } from "../errors.ts";
import { interrupted } from "../postgres/session.ts";
import { ProbeFailure } from "./failure.ts";
import { probeHttp } from "./http.ts";
import { probePostgres } from "./postgres.ts";
import { probePrometheusTargets } from "./prometheus.ts";
import { probeRedis } from "./redis.ts";
import { documentHealth } from "./settings.ts";
import type { HealthSpec } from "./spec.ts";
import { probeTcp } from "./tcp.ts";

export interface ProbeResult {
  readonly ok: boolean;
  /** What was seen, for a person; without secrets of ours. */
  readonly detail: string;
  readonly durationMs: number;
  /** True when waiting cannot change it: a wrong password, a certificate that does not match. */
  readonly permanent: boolean;
}

/**
 * Asks a service once whether it works. A failure is a result, not an exception.
 * @param timeoutMs for the whole probe; default 10,000.
 * @throws UnderstudyError (exit 130) when `signal` fires.
 */
export async function probe(spec: HealthSpec, signal?: AbortSignal, timeoutMs: number = documentHealth.timeoutMs): Promise<ProbeResult> {
  const startedAt = performance.now();
  const timeout = AbortSignal.timeout(timeoutMs);
  const stop = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  const result = (ok: boolean, detail: string, permanent = false): ProbeResult => ({
    ok,
    detail,
    permanent,
    durationMs: performance.now() - startedAt,
  });
  try {
    return result(true, await untilAborted(run(spec, stop, timeoutMs), stop));
  } catch (error) {
    if (signal?.aborted === true) throw interrupted("The health probe");
    if (timeout.aborted) return result(false, `no answer within ${timeoutMs} ms`);
    return result(false, messageOf(error), error instanceof ProbeFailure && error.permanent);
  }
}

function run(spec: HealthSpec, signal: AbortSignal, timeoutMs: number): Promise<string> {
  switch (spec.kind) {
    case "postgres":
      return probePostgres(spec, signal, timeoutMs);
    case "redis":
      return probeRedis(spec, signal, timeoutMs);
    case "http":
      return probeHttp(spec, signal, timeoutMs);
    case "tcp":
      return probeTcp(spec, signal);
    case "prometheus-targets":
      return probePrometheusTargets(spec, signal, timeoutMs);
  }
}

/** The deadline holds even where a client library does not hear of it. */
async function untilAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  let onAbort = (): void => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
