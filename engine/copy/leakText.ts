import { mailDomain } from "../masking/identityMasks.ts";

/** Longer originals are recognised by so many first characters. */
export const longestOriginal = 40;
/** Shorter ones stand anywhere by chance: bytes of several words, and of one. */
export const leastBytes = 8;
const leastBytesOfOneWord = 10;
/** Digits of a telephone or card number. */
export const leastDigits = 7;
export const mostDigits = 19;

/** What may stand within a number beside its digits. */
export const numberSigns = " ().+/-";

/** How a cell is written: as it is, or with quotes and backslashes around and in its strings. */
export type Writing = "plain" | "json" | "array";

/** What is made of every place in a text that could be an original. */
export interface Finds {
  /** Some words, ASCII in lower case. */
  words(bytes: Uint8Array, start: number, end: number): void;
  /** The digits of a number. */
  number(digits: Uint8Array, length: number): void;
  /** An email address that is not of staging's domain. */
  foreignEmail(): void;
}

const isBoundary = 0;
const isSign = 1;
const isWord = 2;
const kinds = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 128 || /[0-9A-Za-z]/.test(String.fromCharCode(byte))) return isWord;
  return byte <= 32 || byte === 34 ? isBoundary : isSign;
});
const isDigit = (byte: number): boolean => byte >= 48 && byte <= 57;
const isNumberSign = Uint8Array.from({ length: 256 }, (_, byte) => (numberSigns.includes(String.fromCharCode(byte)) ? 1 : 0));
const endsAddress = Uint8Array.from({ length: 256 }, (_, byte) => (/[\s@"'<>()[\]{},;:\\/]/.test(String.fromCharCode(byte)) ? 1 : 0));
const backslash = 92;
const quote = 34;
const at = 64;
const dot = 46;
const space = 32;

/** One word: its bytes, and its first character's and its end's position in the text. */
interface Word {
  start: number;
  end: number;
  startCharacter: number;
  endCharacter: number;
  /** With the signs around it, where nothing but signs stands between it and a space or a quote: else its own bounds. */
  outerStart: number;
  outerEnd: number;
  hasLetter: boolean;
  /** Between it and the word before stands more than may stand within a number. */
  isSevered: boolean;
}

/**
 * Reads texts for what could be an original: every run of words up to {@link longestOriginal} characters, as it is written;
 * the first so many characters of every longer rest; every number whatever stands between its digits; every email address.
 * Only ASCII is folded, and only ASCII separates, as PostgreSQL's collation "C" has it.
 */
export class TextReader {
  readonly #finds: Finds;
  readonly #words: Word[] = [];
  readonly #digits = new Uint8Array(mostDigits);
  #decoded = Buffer.alloc(4_096);

  readonly #continuation: number;

  /** @param hasWideCharacters bytes are UTF-8; else each is a character */
  constructor(finds: Finds, hasWideCharacters = true) {
    this.#finds = finds;
    this.#continuation = hasWideCharacters ? 0xc0 : 0;
  }

  /** Reads one cell; its bytes are folded in place. */
  read(bytes: Uint8Array, start: number, end: number, writing: Writing): void {
    if (writing === "plain") return this.#readPlain(bytes, start, end);
    if (this.#decoded.length < end - start) this.#decoded = Buffer.alloc(2 * (end - start));
    this.#readPlain(this.#decoded, 0, decode(bytes, start, end, this.#decoded, writing));
  }

  #readPlain(bytes: Uint8Array, start: number, end: number): void {
    const { count, digits, ats, characters } = this.#split(bytes, start, end);
    for (let first = 0; first < count; first += 1) this.#runsFrom(first, count, bytes, end, characters);
    this.#wholeCell(bytes, start, end, characters);
    if (digits >= leastDigits) this.#numbers(bytes, start, end);
    if (ats > 0) this.#emails(bytes, start, end);
  }

  /** Words into {@link #words}; digits is the most of one number, whatever stands between them. */
  #split(bytes: Uint8Array, start: number, end: number): { count: number; digits: number; ats: number; characters: number } {
    let count = 0;
    let digits = 0;
    let mostDigitsTogether = 0;
    let ats = 0;
    let characters = 0;
    let before = isBoundary;
    let chunkStart = start;
    let isFirstOfChunk = true;
    let isSevered = false;
    let word: Word | undefined;
    for (let position = start; position < end; position += 1) {
      let byte = bytes[position] ?? 0;
      if (byte >= 65 && byte <= 90) bytes[position] = byte += 32;
      const kind = kinds[byte] ?? isBoundary;
      if (kind === isWord) {
        if (before !== isWord) {
          if (before === isBoundary) chunkStart = position;
          word = this.#words[count] ??= { start: 0, end: 0, startCharacter: 0, endCharacter: 0, outerStart: 0, outerEnd: 0, hasLetter: false, isSevered: false };
          count += 1;
          word.start = position;
          word.startCharacter = characters;
          word.outerStart = isFirstOfChunk ? chunkStart : position;
          word.hasLetter = false;
          word.isSevered = isSevered;
          isSevered = false;
          isFirstOfChunk = false;
        }
        if (isDigit(byte)) {
          digits += 1;
          if (digits > mostDigitsTogether) mostDigitsTogether = digits;
        } else {
          digits = 0;
          if (word !== undefined) word.hasLetter = true;
        }
      } else {
        if (isNumberSign[byte] === 0) {
          digits = 0;
          isSevered = true;
        }
        if (before === isWord) endWord(word, position, characters);
        if (kind === isBoundary) {
          if (!isFirstOfChunk && word !== undefined) word.outerEnd = position;
          isFirstOfChunk = true;
        } else if (before === isBoundary) {
          chunkStart = position;
        }
        if (byte === at) ats += 1;
      }
      if ((byte & this.#continuation) !== 0x80) characters += 1;
      before = kind;
    }
    if (before === isWord) endWord(word, end, characters);
    if (!isFirstOfChunk && word !== undefined) word.outerEnd = end;
    return { count, digits: mostDigitsTogether, ats, characters };
  }

  #runsFrom(first: number, count: number, bytes: Uint8Array, end: number, characters: number): void {
    const from = this.#words[first];
    if (from === undefined) return;
    let isText = false;
    for (let last = first; last < count; last += 1) {
      const to = this.#words[last];
      if (to === undefined || to.endCharacter - from.startCharacter > longestOriginal) break;
      isText ||= to.hasLetter || (last > first && to.isSevered);
      if (to.outerEnd - from.outerStart < (first === last ? leastBytesOfOneWord : leastBytes)) continue;
      // Digits with nothing but a number's signs are looked for as one, but for an address of the Internet.
      if (!isText && last - first !== 3) continue;
      this.#finds.words(bytes, from.start, to.end);
      if (to.outerEnd !== to.end) this.#finds.words(bytes, from.start, to.outerEnd);
      if (from.outerStart === from.start) continue;
      this.#finds.words(bytes, from.outerStart, to.end);
      if (to.outerEnd !== to.end) this.#finds.words(bytes, from.outerStart, to.outerEnd);
    }
    if (characters - from.startCharacter <= longestOriginal) return;
    this.#finds.words(bytes, from.start, this.#endOfStart(bytes, from.start, end));
    if (from.outerStart !== from.start) this.#finds.words(bytes, from.outerStart, this.#endOfStart(bytes, from.outerStart, end));
  }

  /** Where so many characters end as are looked at of a long text. */
  #endOfStart(bytes: Uint8Array, start: number, end: number): number {
    let position = start;
    for (let characters = 0; position < end; position += 1) {
      if (((bytes[position] ?? 0) & this.#continuation) !== 0x80) characters += 1;
      if (characters > longestOriginal) break;
    }
    return position;
  }

  /** What no word begins or ends: brackets around it, quotes, spaces. */
  #wholeCell(bytes: Uint8Array, start: number, end: number, characters: number): void {
    if (end - start < leastBytes || this.#words[0] === undefined) return;
    const endOfFirst = characters > longestOriginal ? this.#endOfStart(bytes, start, end) : end;
    const isBegunByWord = kinds[bytes[start] ?? 0] === isWord;
    const isEndedByWord = kinds[bytes[endOfFirst - 1] ?? 0] === isWord;
    if (isBegunByWord && isEndedByWord) return;
    for (let position = start; position < endOfFirst; position += 1) {
      const byte = bytes[position] ?? 0;
      if (kinds[byte] === isWord && !isDigit(byte)) return this.#finds.words(bytes, start, endOfFirst);
    }
  }

  /** Groups of digits and all neighbours of theirs that could belong to the same number. */
  #numbers(bytes: Uint8Array, start: number, end: number): void {
    for (let position = start; position < end; position += 1) {
      if (!isDigit(bytes[position] ?? 0) || (position > start && isDigit(bytes[position - 1] ?? 0))) continue;
      let length = 0;
      for (let next = position; next < end && length <= mostDigits; next += 1) {
        const byte = bytes[next] ?? 0;
        if (isDigit(byte)) {
          if (length === mostDigits) break;
          this.#digits[length] = byte;
          length += 1;
          if (length >= leastDigits && !isDigit(bytes[next + 1] ?? 0)) this.#finds.number(this.#digits, length);
          else if (length >= leastDigits && next + 1 === end) this.#finds.number(this.#digits, length);
        } else if (isNumberSign[byte] !== 1) {
          break;
        }
      }
    }
  }

  #emails(bytes: Uint8Array, start: number, end: number): void {
    for (let position = start; position < end; position += 1) {
      if (bytes[position] !== at) continue;
      if (position === start || endsAddress[bytes[position - 1] ?? 0] === 1) continue;
      let last = position + 1;
      while (last < end && last - position < 256 && endsAddress[bytes[last] ?? 0] !== 1) last += 1;
      while (last > position && bytes[last - 1] === dot) last -= 1;
      if (isDottedName(bytes, position + 1, last) && !endsWithMailDomain(bytes, position, last)) this.#finds.foreignEmail();
    }
  }
}

function endWord(word: Word | undefined, end: number, characters: number): void {
  if (word === undefined) return;
  word.end = end;
  word.outerEnd = end;
  word.endCharacter = characters;
}

const mailEnding = Buffer.from(`@${mailDomain}`);

function endsWithMailDomain(bytes: Uint8Array, sign: number, end: number): boolean {
  if (end - sign !== mailEnding.length) return false;
  for (let index = 0; index < mailEnding.length; index += 1) if (bytes[sign + index] !== mailEnding[index]) return false;
  return true;
}

/** `a.b`, every part of it at least a character. */
function isDottedName(bytes: Uint8Array, start: number, end: number): boolean {
  let dots = 0;
  for (let position = start; position < end; position += 1) {
    if (bytes[position] !== dot) continue;
    if (position === start || bytes[position - 1] === dot) return false;
    dots += 1;
  }
  return dots > 0;
}

const escapes: Readonly<Record<number, number>> = { 98: 8, 102: 12, 110: 10, 114: 13, 116: 9 };

/** Strings as they were before they were written into JSON or an array; a space for every sign of the writing itself. Their length in `into`. */
function decode(bytes: Uint8Array, start: number, end: number, into: Buffer, writing: "json" | "array"): number {
  let length = 0;
  let quoted = false;
  for (let position = start; position < end; position += 1) {
    const byte = bytes[position] ?? 0;
    if (byte === backslash && quoted && position + 1 < end) {
      position += 1;
      const next = bytes[position] ?? 0;
      const code = writing === "json" && next === 117 ? codeUnit(bytes, position + 1) : undefined;
      if (code === undefined) {
        into[length] = writing === "json" ? (escapes[next] ?? next) : next;
        length += 1;
      } else {
        const low = isHighSurrogate(code) && bytes[position + 5] === backslash ? codeUnit(bytes, position + 7) : undefined;
        length += into.write(String.fromCharCode(code, ...(low === undefined ? [] : [low])), length, "utf8");
        position += low === undefined ? 4 : 10;
      }
      continue;
    }
    if (byte === quote) quoted = !quoted;
    into[length] = byte === quote || (!quoted && kinds[byte] === isSign && isWriting(byte)) ? space : byte;
    length += 1;
  }
  return length;
}

/** `,` `:` `{` `}` `[` `]` */
function isWriting(byte: number): boolean {
  return byte === 44 || byte === 58 || byte === 123 || byte === 125 || byte === 91 || byte === 93;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

function codeUnit(bytes: Uint8Array, start: number): number | undefined {
  const code = Number.parseInt(String.fromCharCode(...bytes.subarray(start, start + 4)), 16);
  return Number.isNaN(code) ? undefined : code;
}
