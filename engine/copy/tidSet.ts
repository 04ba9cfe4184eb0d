/** Row offsets fit 16 bits, so block and offset together fit a double's 53. */
const offsetsPerBlock = 65_536;
/** New places are kept apart until they are a quarter of the rest: then both are merged. */
const leastMerged = 4_096;

/**
 * Rows of one relation by their physical place. Within one snapshot a place names a row whatever its key is, and holds
 * nothing of it: no original needs to leave the source for the rows to be followed. Eight bytes a row, sorted.
 */
export class TidSet {
  #sorted = new Float64Array(0);
  readonly #recent = new Set<number>();

  get size(): number {
    return this.#sorted.length + this.#recent.size;
  }

  /** True when it was not there. */
  add(tid: string): boolean {
    const place = placeOf(tid);
    if (this.#recent.has(place) || this.#holds(place)) return false;
    this.#recent.add(place);
    if (this.#recent.size >= Math.max(leastMerged, this.#sorted.length / 4)) this.#merge();
    return true;
  }

  /** In the order of their places, as arrays that PostgreSQL reads as tid[]. */
  *batches(rows: number): Generator<{ readonly tids: string; readonly rows: number }> {
    this.#merge();
    for (let start = 0; start < this.#sorted.length; start += rows) {
      const part = this.#sorted.subarray(start, start + rows);
      yield { tids: tidArray(Array.from(part, tidOf)), rows: part.length };
    }
  }

  #holds(place: number): boolean {
    let from = 0;
    let to = this.#sorted.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#sorted[middle] ?? 0) < place) from = middle + 1;
      else to = middle;
    }
    return this.#sorted[from] === place;
  }

  #merge(): void {
    if (this.#recent.size === 0) return;
    const merged = new Float64Array(this.size);
    merged.set(this.#sorted);
    merged.set(Float64Array.from(this.#recent), this.#sorted.length);
    this.#sorted = merged.sort();
    this.#recent.clear();
  }
}

/** Rows of one relation still to be followed, in no particular order. */
export class TidQueue {
  readonly #places: number[] = [];

  get size(): number {
    return this.#places.length;
  }

  push(tid: string): void {
    this.#places.push(placeOf(tid));
  }

  /** Takes at most so many out, as PostgreSQL reads tid[]. */
  take(rows: number): string {
    return tidArray(this.#places.splice(-rows).map(tidOf));
  }
}

/** `{"(0,1)","(0,2)"}`. */
function tidArray(tids: readonly string[]): string {
  return `{${tids.map((tid) => `"${tid}"`).join(",")}}`;
}

function placeOf(tid: string): number {
  const comma = tid.indexOf(",");
  return Number(tid.slice(1, comma)) * offsetsPerBlock + Number(tid.slice(comma + 1, -1));
}

function tidOf(place: number): string {
  return `(${Math.floor(place / offsetsPerBlock)},${place % offsetsPerBlock})`;
}
