export interface SlicedRequest {
  readonly kind: "read" | "write";
  readonly dueMs: number;
  readonly latencyMs: number;
  readonly failed: boolean;
}

export interface Slice {
  readonly fromMs: number;
  readonly toMs: number;
  /** Slowest read, slowest write; 0 when there was none. */
  readonly readMs: number;
  readonly writeMs: number;
  readonly requests: number;
  readonly failed: number;
}

const leadMs = 150;
const tailMs = 200;
const mostSlices = 100;

/** The traffic around a migration cut into at most a hundred slices, each with its slowest requests. */
export function summariseSlices(requests: readonly SlicedRequest[], migrationMs: number): Slice[] {
  const [from, to] = [-leadMs, migrationMs + tailMs];
  const widthMs = Math.max(5, (to - from) / mostSlices);
  return Array.from({ length: Math.ceil((to - from) / widthMs) }, (_, index): Slice => {
    const [fromMs, toMs] = [from + index * widthMs, from + (index + 1) * widthMs];
    const within = requests.filter(({ dueMs }) => dueMs >= fromMs && dueMs < toMs);
    const slowest = (kind: "read" | "write") => within.reduce((most, request) => (request.kind === kind ? Math.max(most, request.latencyMs) : most), 0);
    return { fromMs, toMs, readMs: slowest("read"), writeMs: slowest("write"), requests: within.length, failed: within.filter(({ failed }) => failed).length };
  });
}
