/** Row offsets fit 16 bits, so block and offset together fit a double's 53. */
const offsetsPerBlock = 65_536;

/**
 * Rows of one relation by their physical place. Within one snapshot a place names a row whatever its key is, and holds
 * nothing of it: no original needs to leave the source for the rows to be followed.
 */
export class TidSet {
  readonly #places = new Set<number>();

  get size(): number {
    return this.#places.size;
  }

  /** True when it was not there. */
  add(tid: string): boolean {
    const place = placeOf(tid);
    if (this.#places.has(place)) return false;
    this.#places.add(place);
    return true;
  }

  /** In the order of their places, as arrays that PostgreSQL reads as tid[]. */
  *batches(rows: number): Generator<{ readonly tids: string; readonly rows: number }> {
    const sorted = Float64Array.from(this.#places).sort();
    for (let start = 0; start < sorted.length; start += rows) {
      const part = sorted.subarray(start, start + rows);
      yield { tids: tidArray(Array.from(part, tidOf)), rows: part.length };
    }
  }
}

/** `{"(0,1)","(0,2)"}`. */
export function tidArray(tids: readonly string[]): string {
  return `{${tids.map((tid) => `"${tid}"`).join(",")}}`;
}

function placeOf(tid: string): number {
  const comma = tid.indexOf(",");
  return Number(tid.slice(1, comma)) * offsetsPerBlock + Number(tid.slice(comma + 1, -1));
}

function tidOf(place: number): string {
  return `(${Math.floor(place / offsetsPerBlock)},${place % offsetsPerBlock})`;
}
