export interface Point {
  readonly rows: number;
  readonly ms: number;
}

export interface Extrapolation {
  readonly lowMs: number;
  readonly estimateMs: number;
  readonly highMs: number;
}

/** Relative error that a single timing on a busy machine is taken to have. */
const timingError = 0.25;

/**
 * A straight line through the points, drawn on to `targetRows`. The range takes every timing to be off by a quarter in
 * either direction, so that it widens with the distance, and adds n log n at its high end, for sorts and caches outgrown.
 *
 * @param points at least two, of different size
 */
export function extrapolate(points: readonly Point[], targetRows: number): Extrapolation {
  const estimateMs = Math.max(0, lineAt(points, targetRows));
  const largest = points.reduce((most, { rows }) => Math.max(most, rows), 2);
  const tilts = points.map((_, tilted) => [1 - timingError, 1 + timingError].map((factor) => lineAt(points.map((point, index) => (index === tilted ? { ...point, ms: point.ms * factor } : point)), targetRows)));
  const all = tilts.flat();
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
