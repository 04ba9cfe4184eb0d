import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { interrupted } from "../postgres/session.ts";
import { completeMarker, parseTrailer } from "./trailer.ts";
import type { BackupTrailer } from "./trailer.ts";

export interface VerifiedBackup {
  readonly file: string;
  /** Compressed. */
  readonly sizeBytes: number;
  /** Of the compressed file. */
  readonly sha256: string;
  /** Uncompressed. */
  readonly sqlBytes: number;
  /** What it says of itself; undefined for a dump made by hand. */
  readonly trailer: BackupTrailer | undefined;
}

/** Long enough for a trailer that names thousands of tables. */
const endBytes = 1_000_000;

/**
 * Reads a backup from end to end: the compression whole and its checksum right, the dump complete.
 * @param options.sha256 what the compressed file must hash to.
 * @throws UnderstudyError exit 4 with what is wrong, exit 2 when there is no such file, exit 130 when interrupted.
 */
export async function verifyBackup(
  file: string,
  options: { readonly sha256?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<VerifiedBackup> {
  const { signal } = options;
  const hash = createHash("sha256");
  let sizeBytes = 0;
  let sqlBytes = 0;
  let end = Buffer.alloc(0);
  async function* measured(compressed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of compressed) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      yield chunk;
    }
  }
  async function readSql(chunks: AsyncIterable<Buffer>): Promise<void> {
    const parts: Buffer[] = [];
    let partBytes = 0;
    for await (const chunk of chunks) {
      sqlBytes += chunk.length;
      parts.push(chunk);
      partBytes += chunk.length;
      while (parts[0] !== undefined && partBytes - parts[0].length >= endBytes) partBytes -= parts.shift()?.length ?? 0;
    }
    end = Buffer.concat(parts);
  }
  try {
    await pipeline(createReadStream(file), measured, createGunzip(), readSql, signal === undefined ? {} : { signal });
  } catch (cause) {
    if (signal?.aborted === true) throw interrupted("Verifying the backup");
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    if (missing) throw new UnderstudyError(`There is no backup ${file}.`, { exitCode: exitCode.usage, cause });
    throw broken(file, messageOf(cause), cause);
  }
  const text = end.toString();
  if (!text.includes(completeMarker)) throw broken(file, "the dump ends before its end");
  const sha256 = hash.digest("hex");
  if (options.sha256 !== undefined && options.sha256 !== sha256) throw broken(file, `its SHA-256 is ${sha256}, expected ${options.sha256}`);
  return { file, sizeBytes, sha256, sqlBytes, trailer: parseTrailer(text) };
}

function broken(file: string, why: string, cause?: unknown): UnderstudyError {
  return new UnderstudyError(`The backup ${file} is not whole: ${why}.`, {
    exitCode: exitCode.checkFailed,
    remedy: "Use another one; `understudy backup --list` shows them.",
    cause,
  });
}
