import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Of the filter: at this width a value that is no original is taken for one about once in 200 times. */
const bitsPerOriginal = 16;
const mostFilterBytes = 32 * 1_048_576;
const leastFilterBytes = 64 * 1_024;

/** Hashes of one origin that are written together; before them stand the origin and how many of them count. */
const blockHashes = 1_023;
const blockWords = 2 + 2 * blockHashes;
const blocksAtATime = 64;

/**
 * Hashes of all originals. In memory is a filter of fixed size, which knows every original and a few values more; the hashes
 * themselves lie in a file that has no name, so that none is left however this process ends.
 */
export class Originals {
  readonly #filter: Int32Array;
  readonly #file: number;
  readonly #open: { readonly block: Int32Array; count: number }[] = [];
  readonly #counts: number[] = [];
  #length = 0;

  /** @param expected how many there may be; more only make the filter less sharp */
  constructor(expected: number) {
    const bytes = Math.min(mostFilterBytes, Math.max(leastFilterBytes, (expected * bitsPerOriginal) / 8));
    this.#filter = new Int32Array(Math.ceil(bytes / 4));
    const path = join(tmpdir(), `understudy-originals-${randomUUID()}`);
    this.#file = openSync(path, "wx+", 0o600);
    unlinkSync(path);
  }

  /** Originals of all origins, repeated values counted each time. */
  get size(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  countOf(origin: number): number {
    return this.#counts[origin] ?? 0;
  }

  add(origin: number, high: number, low: number): void {
    const open = (this.#open[origin] ??= { block: new Int32Array(blockWords), count: 0 });
    open.block[2 + 2 * open.count] = high;
    open.block[3 + 2 * open.count] = low;
    open.count += 1;
    this.#counts[origin] = this.countOf(origin) + 1;
    if (open.count === blockHashes) this.#write(origin);
  }

  /** No more are added: from here on they can be looked for. */
  complete(): void {
    for (const origin of this.#open.keys()) this.#write(origin);
  }

  /**
   * Writes the positions of those of `count` hashes that may be originals into `positions`: many hashes at a time, so that
   * the processor does not wait for memory once for each.
   * @returns how many
   */
  select(high: Int32Array, low: Int32Array, count: number, positions: Int32Array): number {
    let kept = 0;
    for (let position = 0; position < count; position += 1) {
      const bits = bitsOf(high[position] ?? 0);
      if (((this.#filter[this.#wordOf(low[position] ?? 0)] ?? 0) & bits) !== bits) continue;
      positions[kept] = position;
      kept += 1;
    }
    return kept;
  }

  /** Blocks of hashes, each of one origin: high and low halves in turn. */
  *blocks(): Generator<{ readonly origin: number; readonly hashes: Int32Array }> {
    const some = new Int32Array(blocksAtATime * blockWords);
    for (let at = 0; at < this.#length; ) {
      const bytes = readSync(this.#file, some, 0, Math.min(some.byteLength, this.#length - at), at);
      if (bytes === 0) break;
      at += bytes;
      for (let start = 0; start < bytes / 4; start += blockWords) {
        yield { origin: some[start] ?? 0, hashes: some.subarray(start + 2, start + 2 + 2 * (some[start + 1] ?? 0)) };
      }
    }
  }

  /** Gives the file back. */
  close(): void {
    closeSync(this.#file);
  }

  #wordOf(low: number): number {
    return Math.floor(((low >>> 0) / 4_294_967_296) * this.#filter.length);
  }

  #write(origin: number): void {
    const open = this.#open[origin];
    if (open === undefined || open.count === 0) return;
    for (let index = 0; index < open.count; index += 1) {
      const word = this.#wordOf(open.block[3 + 2 * index] ?? 0);
      this.#filter[word] = (this.#filter[word] ?? 0) | bitsOf(open.block[2 + 2 * index] ?? 0);
    }
    open.block[0] = origin;
    open.block[1] = open.count;
    writeSync(this.#file, open.block, 0, open.block.byteLength, this.#length);
    this.#length += open.block.byteLength;
    open.count = 0;
  }
}

function bitsOf(high: number): number {
  return (1 << (high & 31)) | (1 << ((high >>> 5) & 31)) | (1 << ((high >>> 10) & 31));
}
