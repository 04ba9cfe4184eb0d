import { LeakHash } from "./leakHash.ts";
import { mostDigits, TextReader } from "./leakText.ts";
import type { Writing } from "./leakText.ts";
import type { LeakProbes } from "./leakProbes.ts";

/** Where something stands that should have stayed in production; never what. */
export interface Leak {
  readonly place: string;
  /** The masked column whose originals these are; undefined for email addresses. */
  readonly origin: string | undefined;
  readonly rows: number;
}

/** Candidates that are held against the originals at a time. */
const mostCandidates = 262_144;
const wordsOfCandidate = 5;

/** Hashes that are held against the filter at a time. */
const mostLooks = 1_024;
/** Chains of candidates whose hashes begin alike; a power of two. */
const chains = 524_288;

/**
 * Looks in texts for originals, of which only hashes are known: as they are written in production, in whatever ASCII case, at the
 * borders of words. What was cut, spelt otherwise or encoded (base64, percent signs) is not recognised. What the filter lets through is held against all hashes,
 * so that what is found is an original but for a chance of one in 2^64 a comparison.
 *
 * A number alone, digits without a letter, may be an original by chance: of 1.5 million telephone numbers of nine digits every
 * 667th order number is one. It counts as a leak where a place holds more of them than chance explains.
 */
export class LeakSearch {
  readonly #probes: LeakProbes;
  readonly #isIdle: boolean;
  readonly #hash: LeakHash;
  readonly #reader: TextReader;
  readonly #places: string[] = [];
  /** Numbers seen in each place, by their length. */
  readonly #numbers: Float64Array[] = [];
  readonly #emails: number[] = [];
  /** Hashes not held against the filter yet, with where they are from: place, row, digits of a number or 0. */
  readonly #looksHigh = new Int32Array(mostLooks);
  readonly #looksLow = new Int32Array(mostLooks);
  readonly #looksFrom = new Int32Array(3 * mostLooks);
  readonly #positions = new Int32Array(mostLooks);
  #lookCount = 0;
  /** High, low, place, row, digits of a number or 0. */
  readonly #candidates = new Int32Array(mostCandidates * wordsOfCandidate);
  #candidateCount = 0;
  readonly #found = new Map<string, { readonly place: number; readonly origin: number; readonly digits: number; rows: number }>();
  #place = 0;
  #row = 0;
  #hasForeignEmail = false;

  constructor(probes: LeakProbes, { hasWideCharacters = true }: { readonly hasWideCharacters?: boolean } = {}) {
    this.#probes = probes;
    this.#isIdle = probes.originals.size === 0;
    this.#hash = new LeakHash(probes.seed);
    this.#reader = new TextReader({
      words: (bytes, start, end) => this.#look(bytes, start, end, 0),
      number: (digits, length) => {
        const seen = this.#numbers[this.#place];
        if (seen !== undefined) seen[length] = (seen[length] ?? 0) + 1;
        this.#look(digits, 0, length, length);
      },
      foreignEmail: () => (this.#hasForeignEmail = true),
    }, hasWideCharacters);
  }

  /** A place to look in, such as a column. */
  addPlace(name: string): number {
    this.#numbers.push(new Float64Array(mostDigits + 1));
    this.#emails.push(0);
    return this.#places.push(name) - 1;
  }

  /** Reads one value of a place; its bytes are folded in place. */
  read(place: number, bytes: Uint8Array, start: number, end: number, writing: Writing): void {
    this.#place = place;
    this.#row = (this.#row + 1) | 0;
    this.#hasForeignEmail = false;
    this.#reader.read(bytes, start, end, writing);
    if (this.#hasForeignEmail) this.#emails[place] = (this.#emails[place] ?? 0) + 1;
  }

  /** Email addresses that are not of staging's domain. */
  emails(): Leak[] {
    return this.#emails.flatMap((rows, place) => (rows === 0 ? [] : [{ place: this.#places[place] ?? "", origin: undefined, rows }]));
  }

  /** Originals, each in a place and of an origin; how many numbers were passed over as chance. */
  originals(): { readonly leaks: Leak[]; readonly byChance: number } {
    this.#filter();
    this.#confirm();
    let byChance = 0;
    const rows = new Map<string, Leak>();
    for (const found of this.#found.values()) {
      if (found.digits > 0 && found.rows <= this.#mostByChance(found.place, found.origin, found.digits)) {
        byChance += found.rows;
        continue;
      }
      const leak = { place: this.#places[found.place] ?? "", origin: this.#probes.probed[found.origin]?.column };
      const key = JSON.stringify(leak);
      rows.set(key, { ...leak, rows: Math.max(found.rows, rows.get(key)?.rows ?? 0) });
    }
    return { leaks: [...rows.values()], byChance };
  }

  /** Twice what is to be expected and four standard deviations; below one, none. */
  #mostByChance(place: number, origin: number, digits: number): number {
    const expected = ((this.#numbers[place]?.[digits] ?? 0) * this.#probes.originals.countOf(origin)) / 10 ** digits;
    return Math.floor(2 * expected + 4 * Math.sqrt(expected));
  }

  #look(bytes: Uint8Array, start: number, end: number, digits: number): void {
    if (this.#isIdle) return;
    this.#hash.digest(bytes, start, end);
    const at = this.#lookCount;
    this.#looksHigh[at] = this.#hash.high;
    this.#looksLow[at] = this.#hash.low;
    this.#looksFrom[3 * at] = this.#place;
    this.#looksFrom[3 * at + 1] = this.#row;
    this.#looksFrom[3 * at + 2] = digits;
    this.#lookCount += 1;
    if (this.#lookCount === mostLooks) this.#filter();
  }

  /** Makes candidates of what may be an original. */
  #filter(): void {
    const kept = this.#probes.originals.select(this.#looksHigh, this.#looksLow, this.#lookCount, this.#positions);
    this.#lookCount = 0;
    if (this.#candidateCount + kept > mostCandidates) this.#confirm();
    for (let index = 0; index < kept; index += 1) {
      const position = this.#positions[index] ?? 0;
      const at = this.#candidateCount * wordsOfCandidate;
      this.#candidates[at] = this.#looksHigh[position] ?? 0;
      this.#candidates[at + 1] = this.#looksLow[position] ?? 0;
      this.#candidates[at + 2] = this.#looksFrom[3 * position] ?? 0;
      this.#candidates[at + 3] = this.#looksFrom[3 * position + 1] ?? 0;
      this.#candidates[at + 4] = this.#looksFrom[3 * position + 2] ?? 0;
      this.#candidateCount += 1;
    }
  }

  /** Holds the candidates against all hashes of originals, once through the file. */
  #confirm(): void {
    if (this.#candidateCount === 0) return;
    const firstOf = new Int32Array(chains).fill(-1);
    const nextOf = new Int32Array(this.#candidateCount);
    for (let candidate = 0; candidate < this.#candidateCount; candidate += 1) {
      const chain = (this.#candidates[candidate * wordsOfCandidate + 1] ?? 0) & (chains - 1);
      nextOf[candidate] = firstOf[chain] ?? -1;
      firstOf[chain] = candidate;
    }
    const rows = new Map<string, Set<number>>();
    for (const { origin, hashes } of this.#probes.originals.blocks()) {
      for (let index = 0; index < hashes.length; index += 2) {
        const low = hashes[index + 1] ?? 0;
        for (let candidate = firstOf[low & (chains - 1)] ?? -1; candidate !== -1; candidate = nextOf[candidate] ?? -1) {
          const start = candidate * wordsOfCandidate;
          if (this.#candidates[start + 1] !== low || this.#candidates[start] !== hashes[index]) continue;
          this.#note(rows, origin, start);
        }
      }
    }
    this.#candidateCount = 0;
  }

  /** Counts a row once for one place, origin and length of number. */
  #note(rows: Map<string, Set<number>>, origin: number, start: number): void {
    const [place = 0, row = 0, digits = 0] = this.#candidates.subarray(start + 2, start + wordsOfCandidate);
    const key = `${place} ${origin} ${digits}`;
    const known = rows.get(key) ?? new Set();
    rows.set(key, known);
    if (known.has(row)) return;
    known.add(row);
    const found = this.#found.get(key) ?? { place, origin, digits, rows: 0 };
    found.rows += 1;
    this.#found.set(key, found);
  }
}
