import { pipeline } from "node:stream/promises";
import type { Client } from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { sourceFault } from "./sourceFault.ts";

export interface Relayed {
  readonly rows: number;
  readonly bytes: number;
}

export interface RelayStatements {
  /** `COPY (…) TO STDOUT`. */
  readonly read: string;
  /** `COPY … FROM STDIN`. */
  readonly write: string;
  /** For messages. */
  readonly table: string;
}

/** Errors of the target whose text quotes data. */
const quotesData = /^22/;

/**
 * Passes one COPY's rows from one server to the other as they come, unparsed; as fast as the slower side, with no more
 * in memory than the streams' buffers.
 * @param pace holds a chunk back until its rows may have come
 * @throws UnderstudyError when either side fails, or counted other rows than the other.
 */
export async function relay(
  source: Client,
  target: Client,
  statements: RelayStatements,
  onBytes: (bytes: number) => void,
  pace?: (chunk: Buffer) => Promise<void>,
): Promise<Relayed> {
  const reader = source.query(copyTo(statements.read));
  const writer = target.query(copyFrom(statements.write));
  let bytes = 0;
  let failedReading: unknown;
  reader.once("error", (error: unknown) => (failedReading = error));
  const counted = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      onBytes(chunk.length);
      if (pace !== undefined) await pace(chunk);
      yield chunk;
    }
  };
  try {
    await pipeline(reader, counted, writer);
  } catch (cause) {
    if (failedReading !== undefined) throw sourceFault(failedReading, `reading ${statements.table}`);
    throw targetFault(cause, statements.table);
  }
  if (reader.rowCount !== writer.rowCount) {
    throw new UnderstudyError(`${statements.table}: the source sent ${reader.rowCount} rows, the target took ${writer.rowCount}.`, {
      exitCode: exitCode.unexpected,
      remedy: "Staging is as it was. Run the copy again.",
    });
  }
  return { rows: writer.rowCount, bytes };
}

function targetFault(cause: unknown, table: string): UnderstudyError {
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";
  const hidden = quotesData.test(code);
  return new UnderstudyError(`Loading ${table} failed: ${hidden ? `SQLSTATE ${code} (its text quotes data and is not shown)` : messageOf(cause)}.`, {
    exitCode: exitCode.provisioning,
    remedy: code === "53100" ? "The target's disk is full; staging is as it was. Make room and run the copy again." : "Staging is as it was.",
    ...(hidden ? {} : { cause }),
  });
}
