import { setTimeout as sleep } from "node:timers/promises";
import { BinaryRows } from "./binaryRows.ts";

/** Keeps all sessions together to so many rows a second. */
export class RowPace {
  readonly #rowsPerSecond: number;
  /** When the rows that were let through so far may have come. */
  #dueAt = performance.now();

  constructor(rowsPerSecond: number) {
    this.#rowsPerSecond = rowsPerSecond;
  }

  /** Rows have come; waits until they may have. */
  async take(rows: number): Promise<void> {
    const now = performance.now();
    this.#dueAt = Math.max(now, this.#dueAt) + (1_000 * rows) / this.#rowsPerSecond;
    await sleep(this.#dueAt - now);
  }
}

/** Counts the rows of one COPY as its bytes come. */
export type RowCounter = (chunk: Buffer) => number;

const newline = 10;

/** In text, each row ends with the only line break that is not written with a backslash. */
export function rowCounter(isBinary: boolean): RowCounter {
  let rows = 0;
  const binary = new BinaryRows({ value: () => {}, row: () => (rows += 1) });
  return (chunk) => {
    rows = 0;
    if (isBinary) binary.push(chunk);
    else for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, at + 1)) rows += 1;
    return rows;
  };
}
