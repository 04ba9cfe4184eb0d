/** A query that the live traffic repeats. */
export interface TrafficQuery {
  readonly name: string;
  readonly kind: "read" | "write";
  /** Takes `$1`, the key (when there are keys or it writes), and for a journalled write `$2`, the token. */
  readonly sql: string;
  /** Values for `$1`; undefined: a fresh UUID every time for a write, no parameter for a read. */
  readonly keys: readonly string[] | undefined;
  /** Reads back the token that was last written for `$1`; undefined for writes that leave none. */
  readonly readBack: string | undefined;
}

/** One request. Times of `performance.now()`; latency counts from when it was due, not from when it could be sent. */
export interface Request {
  readonly name: string;
  readonly kind: "read" | "write";
  readonly dueAt: number;
  readonly endedAt: number;
  readonly error: string | undefined;
  /** SQLSTATE of the error. */
  readonly state: string | undefined;
}

export interface LatencySummary {
  readonly requests: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
}

export function summarise(requests: readonly Request[]): LatencySummary {
  const latencies = requests.map(({ dueAt, endedAt }) => endedAt - dueAt).sort((one, other) => one - other);
  const quantile = (share: number) => latencies[Math.min(latencies.length - 1, Math.ceil(share * latencies.length) - 1)] ?? 0;
  return {
    requests: requests.length,
    errors: requests.filter(({ error }) => error !== undefined).length,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    worstMs: latencies.at(-1) ?? 0,
  };
}
