import { once } from "node:events";
import type { Client } from "pg";
import { to as copyTo } from "pg-copy-streams";
import { BinaryRows } from "./binaryRows.ts";
import type { RowReader } from "./binaryRows.ts";

/**
 * Reads a query's rows as they come, in binary and unparsed, as fast as `reader` takes them; how many there were.
 * @throws whatever the server says.
 */
export async function readRows(client: Client, select: string, reader: RowReader): Promise<number> {
  const rows = new BinaryRows(reader);
  const stream = client.query(copyTo(`COPY (${select}) TO STDOUT (FORMAT binary)`));
  stream.on("data", (chunk: Buffer) => rows.push(chunk));
  await once(stream, "end");
  return stream.rowCount;
}
