/** Signature, flags and the length of an extension that nobody has defined. */
const headerBytes = 19;

export interface RowReader {
  /** One value that is not NULL: bytes of a buffer that may be changed, valid until the call returns. */
  value(column: number, bytes: Buffer, start: number, end: number): void;
  /** After the last value of each row. */
  row(): void;
}

/** Cuts PostgreSQL's binary COPY into values as it comes, copying only what two chunks share. */
export class BinaryRows {
  readonly #reader: RowReader;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** No row is whole before there are so many bytes. */
  #neededBytes = headerBytes;
  #isPastHeader = false;

  constructor(reader: RowReader) {
    this.#reader = reader;
  }

  push(chunk: Buffer): void {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes < this.#neededBytes) return;
    const bytes = this.#waiting.length === 1 ? chunk : Buffer.concat(this.#waiting);
    let at = 0;
    if (!this.#isPastHeader) {
      at = headerBytes;
      this.#isPastHeader = true;
    }
    for (let end = this.#endOfRow(bytes, at); end !== undefined; end = this.#endOfRow(bytes, at)) {
      this.#tell(bytes, at);
      at = end;
    }
    const rest = bytes.subarray(at);
    this.#waiting = rest.length === 0 ? [] : [rest];
    this.#waitingBytes = rest.length;
  }

  /** Undefined, and how much is needed, when the row is not all there. */
  #endOfRow(bytes: Buffer, start: number): number | undefined {
    const rowNeeds = (end: number): boolean => {
      this.#neededBytes = end - start;
      return end > bytes.length;
    };
    if (rowNeeds(start + 2)) return undefined;
    let at = start + 2;
    for (let left = bytes.readInt16BE(start); left > 0; left -= 1) {
      if (rowNeeds(at + 4)) return undefined;
      at += 4 + Math.max(0, bytes.readInt32BE(at));
      if (rowNeeds(at)) return undefined;
    }
    return at;
  }

  #tell(bytes: Buffer, start: number): void {
    const columns = bytes.readInt16BE(start);
    // -1 closes the stream.
    if (columns < 0) return;
    let at = start + 2;
    for (let column = 0; column < columns; column += 1) {
      const length = bytes.readInt32BE(at);
      at += 4;
      if (length < 0) continue;
      this.#reader.value(column, bytes, at, at + length);
      at += length;
    }
    this.#reader.row();
  }
}
