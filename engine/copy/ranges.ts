import type { Leaf, Table } from "./catalog.ts";
import type { RowRange } from "./maskedRows.ts";
import type { Selection } from "./selection.ts";

/** Chosen rows in one statement: long enough to be worth a round trip, short enough to be parsed at once. */
const chosenRowsPerRange = 5_000;
const blockBytes = 8_192;
/** A relation beyond this is read in ranges, several at a time. */
const rangeBytes = 16 * 1024 * 1024;
/** The first version that finds a range of blocks without reading the rest. */
const rangeScansSince = 140_000;
const lastBlock = 4_294_967_294;

/** The pieces in which a table's chosen rows are read; none when nothing of it is copied. */
export function rangesOf(table: Table, selection: Selection, serverVersion: number): RowRange[] {
  return table.leaves.flatMap((leaf): RowRange[] => {
    const rows = selection.get(leaf.oid);
    if (rows === undefined) return [];
    if (rows === "all") return wholeRanges(leaf, serverVersion);
    return [...rows.batches(chosenRowsPerRange)].map((batch) => ({ leaf, tids: batch.tids, rows: batch.rows }));
  });
}

function wholeRanges(leaf: Leaf, serverVersion: number): RowRange[] {
  return blockRanges(leaf.sizeBytes, serverVersion).map((blocks) => (blocks === undefined ? { leaf } : { leaf, blocks }));
}

/**
 * Ranges of blocks that make up a relation of this size; undefined for all of a small one.
 * The last range is open-ended: the relation may have grown since its size was read.
 */
export function blockRanges(sizeBytes: number, serverVersion: number): ({ readonly from: number; readonly to: number } | undefined)[] {
  if (sizeBytes <= rangeBytes || serverVersion < rangeScansSince) return [undefined];
  const blocksPerRange = rangeBytes / blockBytes;
  const count = Math.ceil(sizeBytes / rangeBytes);
  return Array.from({ length: count }, (_, index) => ({
    from: index * blocksPerRange,
    to: index === count - 1 ? lastBlock : (index + 1) * blocksPerRange,
  }));
}
