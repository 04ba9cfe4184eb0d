import type { Socket } from "node:net";

/** One message of PostgreSQL's protocol, version 3. */
export interface Message {
  /** Its letter; empty for what a client sends first, which has none. */
  readonly type: string;
  /** All of it, ready to be passed on. */
  readonly bytes: Buffer;
  /** What comes after the length. */
  readonly body: Buffer;
}

/** Cuts the bytes of one direction of a connection into messages, as they come. */
export class MessageReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Undefined at the end of the connection. @param typed false for a client's first messages */
  async next(typed = true): Promise<Message | undefined> {
    const start = typed ? 1 : 0;
    if (!(await this.#has(start + 4))) return undefined;
    const total = start + this.#rest.readInt32BE(start);
    if (!(await this.#has(total))) return undefined;
    const bytes = this.#rest.subarray(0, total);
    this.#rest = this.#rest.subarray(total);
    return { type: typed ? String.fromCodePoint(bytes[0] ?? 0) : "", bytes, body: bytes.subarray(start + 4) };
  }

  async #has(count: number): Promise<boolean> {
    while (this.#rest.length < count) {
      const { value, done } = await this.#chunks.next();
      if (done === true) return false;
      this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
    }
    return true;
  }
}

/** Text up to its closing zero byte, and where the next field begins. */
export function readText(body: Buffer, from: number): { readonly text: string; readonly next: number } {
  const end = body.indexOf(0, from);
  return end === -1 ? { text: body.subarray(from).toString("utf8"), next: body.length } : { text: body.subarray(from, end).toString("utf8"), next: end + 1 };
}

/** Fields of an ErrorResponse by letter: `C` the SQLSTATE, `M` the message. */
export function readFields(body: Buffer): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (let at = 0; at < body.length && body[at] !== 0; ) {
    const letter = String.fromCodePoint(body[at] ?? 0);
    const { text, next } = readText(body, at + 1);
    fields.set(letter, text);
    at = next;
  }
  return fields;
}

/** First column of a DataRow, as text; undefined for NULL. */
export function readFirstColumn(body: Buffer): string | undefined {
  const length = body.readInt32BE(2);
  return length < 0 ? undefined : body.subarray(6, 6 + length).toString("utf8");
}

function message(type: string, ...parts: readonly (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(`${part}\0`) : part)));
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

const zeros = (count: number): Buffer => Buffer.alloc(count);

/** A query under a name of its own, closed at its end: the unnamed statement, which a client may still count on, stays. */
export function ownQuery(sql: string): Buffer {
  const name = "understudy_relay";
  return Buffer.concat([
    message("P", name, sql, zeros(2)),
    message("B", name, name, zeros(6)),
    message("E", name, zeros(4)),
    message("C", Buffer.from("P"), name),
    message("C", Buffer.from("S"), name),
    message("S"),
  ]);
}
