import type { Client } from "pg";
import { to as copyTo } from "pg-copy-streams";
import { BinaryRows } from "./binaryRows.ts";
import type { RowReader } from "./binaryRows.ts";
import type { RowPace } from "./rowPace.ts";

/**
 * Reads a query's rows as they come, in binary and unparsed, as fast as `reader` takes them; how many there were.
 * @param pace how many rows a second there may be
 * @throws whatever the server says.
 */
export async function readRows(client: Client, select: string, reader: RowReader, pace?: RowPace): Promise<number> {
  let taken = 0;
  const rows = new BinaryRows({
    value: (column, bytes, start, end) => reader.value(column, bytes, start, end),
    row: () => {
      taken += 1;
      reader.row();
    },
  });
  const stream = client.query(copyTo(`COPY (${select}) TO STDOUT (FORMAT binary)`));
  for await (const chunk of stream) {
    rows.push(chunk as Buffer);
    if (pace !== undefined && taken > 0) await pace.take(taken);
    taken = 0;
  }
  return stream.rowCount;
}
