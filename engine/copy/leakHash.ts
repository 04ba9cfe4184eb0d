const initial = 0x9e3779b9 + 3923095;
/** Hashes of shorter values begin with what was computed beforehand. */
const preparedLengths = 256;

/**
 * PostgreSQL's `hashtextextended` of bytes under a 64-bit seed, computed here: Bob Jenkins' lookup3 as `hash_bytes_extended`
 * in src/common/hashfn.c has it on a little-endian machine. A tenth of the cost of SHA-256 on either side. It is no
 * cryptographic hash: what it says of a value is kept from everybody but this process, and the seed is another one each run.
 */
export class LeakHash {
  /** Upper and lower half of the last hash. */
  high = 0;
  low = 0;
  readonly #seed: Buffer;
  /** State after the seed, three words for each length. */
  readonly #prepared = new Int32Array(3 * preparedLengths);
  #view: DataView = new DataView(new ArrayBuffer(0));

  /** @param seed its first eight bytes count */
  constructor(seed: Buffer) {
    this.#seed = seed;
    for (let length = 0; length < preparedLengths; length += 1) this.#prepared.set(this.#begin(length), 3 * length);
  }

  /** Hashes the bytes from `start` up to, not with, `end`. */
  digest(bytes: Uint8Array, start: number, end: number): void {
    if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer);
    const view = this.#view;
    const length = end - start;
    const state = length < preparedLengths ? this.#prepared : Int32Array.from(this.#begin(length));
    const place = length < preparedLengths ? 3 * length : 0;
    let a = state[place] ?? 0;
    let b = state[place + 1] ?? 0;
    let c = state[place + 2] ?? 0;
    let at = bytes.byteOffset + start;
    let left = length;
    for (; left >= 12; left -= 12, at += 12) {
      a = (a + view.getInt32(at, true)) | 0;
      b = (b + view.getInt32(at + 4, true)) | 0;
      c = (c + view.getInt32(at + 8, true)) | 0;
      a = ((a - c) | 0) ^ ((c << 4) | (c >>> 28));
      c = (c + b) | 0;
      b = ((b - a) | 0) ^ ((a << 6) | (a >>> 26));
      a = (a + c) | 0;
      c = ((c - b) | 0) ^ ((b << 8) | (b >>> 24));
      b = (b + a) | 0;
      a = ((a - c) | 0) ^ ((c << 16) | (c >>> 16));
      c = (c + b) | 0;
      b = ((b - a) | 0) ^ ((a << 19) | (a >>> 13));
      a = (a + c) | 0;
      c = ((c - b) | 0) ^ ((b << 4) | (b >>> 28));
      b = (b + a) | 0;
    }
    if (left >= 4) {
      a = (a + view.getInt32(at, true)) | 0;
      if (left >= 8) {
        b = (b + view.getInt32(at + 4, true)) | 0;
        // The lowest byte of c is the length's.
        for (let index = 8; index < left; index += 1) c = (c + (view.getUint8(at + index) << (8 * (index - 7)))) | 0;
      } else {
        for (let index = 4; index < left; index += 1) b = (b + (view.getUint8(at + index) << (8 * (index - 4)))) | 0;
      }
    } else {
      for (let index = 0; index < left; index += 1) a = (a + (view.getUint8(at + index) << (8 * index))) | 0;
    }
    c = ((c ^ b) - ((b << 14) | (b >>> 18))) | 0;
    a = ((a ^ c) - ((c << 11) | (c >>> 21))) | 0;
    b = ((b ^ a) - ((a << 25) | (a >>> 7))) | 0;
    c = ((c ^ b) - ((b << 16) | (b >>> 16))) | 0;
    a = ((a ^ c) - ((c << 4) | (c >>> 28))) | 0;
    b = ((b ^ a) - ((a << 14) | (a >>> 18))) | 0;
    c = ((c ^ b) - ((b << 24) | (b >>> 8))) | 0;
    this.high = b;
    this.low = c;
  }

  /** The state before the first byte: length and seed, mixed. */
  #begin(length: number): [number, number, number] {
    let a = (initial + length) | 0;
    let b = a;
    let c = a;
    const [high, low] = [this.#seed.readInt32BE(0), this.#seed.readInt32BE(4)];
    if (high === 0 && low === 0) return [a, b, c];
    a = (a + high) | 0;
    b = (b + low) | 0;
    a = ((a - c) | 0) ^ ((c << 4) | (c >>> 28));
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ ((a << 6) | (a >>> 26));
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ ((b << 8) | (b >>> 24));
    b = (b + a) | 0;
    a = ((a - c) | 0) ^ ((c << 16) | (c >>> 16));
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ ((a << 19) | (a >>> 13));
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ ((b << 4) | (b >>> 28));
    b = (b + a) | 0;
    return [a, b, c];
  }
}
