import { hasSqlState } from "../../postgres/session.ts";

/** What a runner may try again: a lock not got in time, a deadlock, a serialization failure. Nothing else. */
export const retryableStates = ["55P03", "40P01", "40001"] as const;

export interface RetryPolicy {
  /** Attempts in all; default 8. */
  readonly attempts: number;
  /** Longest first pause, doubled with every attempt. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

export const defaultRetries: RetryPolicy = { attempts: 8, firstPauseMs: 50, longestPauseMs: 1_000 };

export function isRetryable(error: unknown): boolean {
  return hasSqlState(error, ...retryableStates);
}

/** Pause before attempt `next` (2, 3, …): anywhere between half and the whole of a doubling bound, so that two runners part. */
export function pauseMs(policy: RetryPolicy, next: number, random: () => number = Math.random): number {
  const bound = Math.min(policy.longestPauseMs, policy.firstPauseMs * 2 ** (next - 2));
  return bound * (0.5 + random() / 2);
}
