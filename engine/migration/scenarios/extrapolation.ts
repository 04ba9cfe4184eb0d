export interface Point {
  readonly rows: number;
  readonly ms: number;
}

export interface Extrapolation {
  readonly lowMs: number;
  readonly estimateMs: number;
  readonly highMs: number;
}

/** What a single timing on a busy machine is taken to be off by: a quarter, and a moment of waiting for a processor. */
const relativeError = 0.25;
const jitterMs = 10;

/**
 * A straight line through the points, drawn on to `targetRows`. Its range takes every timing to be off by its error in either
 * direction, so that it widens with the distance; some milliseconds more at one size than at another say nothing of growth.
 * The high end adds n log n, for sorts and caches outgrown.
 *
 * @param points at least two, of different size
 */
export function extrapolate(points: readonly Point[], targetRows: number): Extrapolation {
  const estimateMs = Math.max(0, lineAt(points, targetRows));
  const largest = points.reduce((most, { rows }) => Math.max(most, rows), 2);
  const corners = points.reduce<readonly (readonly Point[])[]>(
    (made, { rows, ms }) => made.flatMap((before) => [-1, 1].map((sign) => [...before, { rows, ms: Math.max(0, ms * (1 + sign * relativeError) + sign * jitterMs) }])),
    [[]],
  );
  const all = corners.map((corner) => lineAt(corner, targetRows));
  const growth = targetRows > largest ? Math.log(targetRows) / Math.log(largest) : 1;
  return { lowMs: Math.max(0, Math.min(estimateMs, ...all)), estimateMs, highMs: Math.max(estimateMs, ...all) * growth };
}

function lineAt(points: readonly Point[], rows: number): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map((point) => point.rows)), mean(points.map((point) => point.ms))];
  const spread = points.reduce((sum, point) => sum + (point.rows - x) ** 2, 0);
  const slope = spread === 0 ? 0 : points.reduce((sum, point) => sum + (point.rows - x) * (point.ms - y), 0) / spread;
  return y + Math.max(0, slope) * (rows - x);
}
