import { hash } from "node:crypto";
import { emailsOf, longNumbersOf, mostTokens, tokensOf } from "./tokens.ts";
import { mailDomain } from "../masking/identityMasks.ts";

/** Hexadecimal digits of a keyed hash that are compared: 64 bits. */
export const probeDigits = 16;

/** Keyed hashes of one original: all that leaves the source of it. */
export interface Probe {
  /** Of its first words. */
  readonly words: string;
  /** Of the first of them alone, so that most texts are passed over after one look a word. */
  readonly firstWord: string;
  /** Bytes of the first word in UTF-8, so that most words need not even be hashed. */
  readonly firstWordBytes: number;
  readonly wordCount: number;
  /** Of its digits, where it is a telephone or card number. */
  readonly number: string | null;
}

const cachedWords = 20_000;

/** Finds originals in texts, knowing only their keyed hashes. */
export class LeakIndex {
  readonly #key: Buffer;
  readonly #firstWordBytes = new Set<number>();
  readonly #lengthsAfter = new Map<string, Set<number>>();
  readonly #origins = new Map<string, string>();
  readonly #cache = new Map<string, string>();

  /** @param key the one the probes were hashed with */
  constructor(key: Buffer) {
    this.#key = key;
  }

  /** Different originals known. */
  get size(): number {
    return this.#origins.size;
  }

  /** @param origin the column it is an original of, `Table.column` */
  add(probe: Probe, origin: string): void {
    if (probe.wordCount > 0) {
      const lengths = this.#lengthsAfter.get(probe.firstWord) ?? new Set();
      lengths.add(Math.min(probe.wordCount, mostTokens));
      this.#lengthsAfter.set(probe.firstWord, lengths);
      this.#firstWordBytes.add(probe.firstWordBytes);
      this.#origins.set(probe.words, origin);
    }
    if (probe.number !== null) this.#origins.set(`number ${probe.number}`, origin);
  }

  /** Columns whose originals stand in a text, as a whole or between other words. */
  originsIn(text: string): Set<string> {
    const found = new Set<string>();
    const tokens = tokensOf(text);
    for (const [index, token] of tokens.entries()) {
      if (!this.#firstWordBytes.has(bytesOf(token))) continue;
      for (const length of this.#lengthsAfter.get(this.#hashOfWord(token)) ?? []) {
        if (index + length > tokens.length) continue;
        const origin = this.#origins.get(this.#hash(tokens.slice(index, index + length).join(" ")));
        if (origin !== undefined) found.add(origin);
      }
    }
    for (const digits of longNumbersOf(text)) {
      const origin = this.#origins.get(`number ${this.#hash(digits)}`);
      if (origin !== undefined) found.add(origin);
    }
    return found;
  }

  #hashOfWord(word: string): string {
    const cached = this.#cache.get(word);
    if (cached !== undefined) return cached;
    if (this.#cache.size >= cachedWords) this.#cache.clear();
    const made = this.#hash(word);
    // A word cut from a long text would keep all of it in memory.
    this.#cache.set(Buffer.from(word).toString(), made);
    return made;
  }

  #hash(text: string): string {
    return hash("sha256", Buffer.concat([this.#key, Buffer.from(text, "utf8"), this.#key]), "hex").slice(0, probeDigits);
  }
}

// oxlint-disable-next-line no-control-regex -- what is one byte in UTF-8
const ascii = /^[\u0000-\u007F]*$/;

function bytesOf(word: string): number {
  return ascii.test(word) ? word.length : Buffer.byteLength(word);
}

/** How many email addresses in a text are not of staging's own domain. */
export function foreignEmails(text: string): number {
  return emailsOf(text).filter((email) => !email.toLowerCase().endsWith(`@${mailDomain}`)).length;
}
