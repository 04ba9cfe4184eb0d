import { formatDuration } from "../report/duration.ts";
import type { OnProgress } from "../progress.ts";
import type { RowRange } from "./maskedRows.ts";

/** What of a transfer is done. */
export interface TransferProgress {
  bytes(count: number): void;
  /** A piece of a table has arrived whole. */
  rows(table: string, count: number): void;
}

const everyMs = 500;

/** Tells of rows, bytes, rate and the time that is left, at most twice a second between two tables. */
export function transferProgress(ranges: readonly RowRange[], onProgress: OnProgress): TransferProgress {
  const expected = expectedRows(ranges);
  const startedAt = performance.now();
  let done = 0;
  let bytes = 0;
  let shownAt = startedAt;
  const tell = (what: string): void => {
    shownAt = performance.now();
    const elapsedMs = Math.max(1, shownAt - startedAt);
    const mebibytes = bytes / 1_048_576;
    const left = done === 0 || done >= expected ? "" : `, ${formatDuration((elapsedMs * (expected - done)) / done)} left`;
    const message = `${what}${mebibytes.toFixed(1)} MiB at ${((1_000 * mebibytes) / elapsedMs).toFixed(1)} MiB/s${left}`;
    onProgress({ step: "copy", message, done, total: Math.max(expected, done), unit: "rows" });
  };
  return {
    bytes: (count) => {
      bytes += count;
      if (performance.now() - shownAt >= everyMs) tell("");
    },
    rows: (table, count) => {
      done += count;
      tell(`${table}: `);
    },
  };
}

/** Exact for chosen rows, the planner's estimate for whole relations. */
function expectedRows(ranges: readonly RowRange[]): number {
  const chosen = ranges.reduce((sum, { rows }) => sum + (rows ?? 0), 0);
  const whole = new Map(ranges.filter(({ rows }) => rows === undefined).map(({ leaf }) => [leaf.oid, leaf.estimatedRows]));
  return Math.round([...whole.values()].reduce((sum, rows) => sum + Math.max(0, rows), chosen));
}
