/** How often and how patiently a service is probed. */
export interface HealthSettings {
  /** Between two probes of a running service. */
  readonly intervalMs: number;
  /** For one probe. */
  readonly timeoutMs: number;
  /** Failed intervals after the start period until the service counts as unhealthy. */
  readonly retries: number;
  /** Failures in this time after the start do not count. */
  readonly startPeriodMs: number;
}

/** As document 004 has it. */
export const documentHealth: HealthSettings = { intervalMs: 15_000, timeoutMs: 10_000, retries: 5, startPeriodMs: 30_000 };

/** During start a service is probed much more often: at once, then after 50 ms, growing to 500 ms. */
export const startProbing = { firstDelayMs: 50, growth: 1.5, longestDelayMs: 500 } as const;

/** How long a service has to become healthy before it counts as failed, in milliseconds. */
export function patienceMs({ startPeriodMs, retries, intervalMs }: HealthSettings): number {
  return startPeriodMs + retries * intervalMs;
}
