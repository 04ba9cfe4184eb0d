import type { Client } from "pg";
import { connectionOf } from "../staging/database.ts";
import type { StagingDatabase } from "../staging/database.ts";
import type { OnProgress } from "../progress.ts";
import { qualified } from "./catalog.ts";
import type { Leaf, Table } from "./catalog.ts";
import { sumRange } from "./checksum.ts";
import type { Checksum, RowHash } from "./checksum.ts";
import { columnList, maskedRowsSql } from "./maskedRows.ts";
import type { RowRange } from "./maskedRows.ts";
import { rangesOf } from "./ranges.ts";
import { rowCounter } from "./rowPace.ts";
import type { RowPace } from "./rowPace.ts";
import { relay } from "./relay.ts";
import type { Selection } from "./selection.ts";
import { sourceFault } from "./sourceFault.ts";
import type { SourceSession } from "./sourceSession.ts";
import { withTargetSessions } from "./targetSessions.ts";
import { transferProgress } from "./transferProgress.ts";
import type { TransferProgress } from "./transferProgress.ts";
import type { TableTreatment } from "./treatments.ts";
import { workThrough } from "./workers.ts";

/** What became of one table on its way. */
export interface TableTransfer {
  rows: number;
  bytes: number;
  durationMs: number;
  /** Of the kept columns, as the source has them: see {@link sumKeptColumns}. */
  readonly kept: Checksum;
}

export interface TransferOptions {
  readonly sources: readonly SourceSession[];
  readonly staging: StagingDatabase;
  readonly database: string;
  readonly treatments: readonly TableTreatment[];
  readonly selection: Selection;
  readonly serverVersion: number;
  /** Both servers are of one major version, so that binary means the same. */
  readonly sameMajor: boolean;
  /** Columns by table whose values the copy changes after loading. */
  readonly changedLater: ReadonlyMap<Table, ReadonlySet<string>>;
  readonly rowHash: RowHash;
  readonly pace: RowPace | undefined;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

interface Task {
  readonly treatment: TableTreatment;
  readonly range: RowRange;
}

/** Copies all chosen rows, biggest relations first, as many at a time as there are source sessions. */
export async function transferRows(options: TransferOptions): Promise<Map<Table, TableTransfer>> {
  const { treatments, selection, serverVersion } = options;
  const tasks = tasksOf(treatments, selection, serverVersion);
  const transfers = new Map<Table, TableTransfer>(
    treatments.map(({ table }) => [table, { rows: 0, bytes: 0, durationMs: 0, kept: { rows: 0, sum: 0n } }]),
  );
  const progress = transferProgress(tasks.map(({ range }) => range), options.onProgress);
  const connection = connectionOf(options.staging, "admin", options.database);
  await withTargetSessions(connection, options.sources.length, options.signal, (targets) => {
    const pairs = options.sources.flatMap((source, index) => {
      const target = targets[index];
      return target === undefined ? [] : [{ source, target }];
    });
    return workThrough(tasks, pairs, (task, { source, target }) => transferRange(source, target, task, options, transfers, progress));
  });
  return transfers;
}

async function transferRange(
  source: SourceSession,
  target: Client,
  { treatment, range }: Task,
  options: TransferOptions,
  transfers: ReadonlyMap<Table, TableTransfer>,
  progress: TransferProgress,
): Promise<void> {
  const { table } = treatment;
  const transfer = transfers.get(table);
  if (transfer === undefined || treatment.leftOut) return;
  const started = performance.now();
  const isBinary = options.sameMajor && treatment.columns.every(({ column }) => column.binarySafe);
  const format = isBinary ? " (FORMAT binary)" : "";
  const count = rowCounter(isBinary);
  const { pace } = options;
  const relayed = await relay(
    source.client,
    target,
    {
      read: `COPY (${maskedRowsSql(treatment, range)}) TO STDOUT${format}`,
      write: `COPY ${qualified(destinationOf(treatment, range.leaf))} ${columnList(treatment)} FROM STDIN${format}`,
      table: table.key,
    },
    progress.bytes,
    pace === undefined ? undefined : (chunk) => pace.take(count(chunk)),
  );
  transfer.rows += relayed.rows;
  transfer.bytes += relayed.bytes;
  transfer.durationMs += performance.now() - started;
  progress.rows(table.key, relayed.rows);
}

/** Adds up the kept columns of all rows that were copied, for what arrived to be held against it. */
export async function sumKeptColumns(options: TransferOptions, transfers: ReadonlyMap<Table, TableTransfer>): Promise<void> {
  const { sources, treatments, selection, serverVersion, changedLater, rowHash, pace } = options;
  await workThrough(tasksOf(treatments, selection, serverVersion), sources, async ({ treatment, range }, source) => {
    const { table } = treatment;
    const kept = transfers.get(table)?.kept;
    if (kept === undefined || treatment.leftOut) return;
    const part = await sumRange(source, treatment, changedLater.get(table) ?? new Set(), range, rowHash, pace).catch((cause: unknown) => {
      throw sourceFault(cause, `adding up the kept columns of ${table.key}`);
    });
    kept.rows += part.rows;
    kept.sum += part.sum;
  });
}

/** The biggest first. */
function tasksOf(treatments: readonly TableTreatment[], selection: Selection, serverVersion: number): Task[] {
  return treatments
    .flatMap((treatment) => rangesOf(treatment.table, selection, serverVersion).map((range): Task => ({ treatment, range })))
    .sort((left, right) => sizeOf(right.range) - sizeOf(left.range));
}

/** Straight into the partition, unless a masked key may belong to another. */
function destinationOf({ table, columns }: TableTreatment, leaf: Leaf): { schema: string; name: string } {
  const keyIsMasked = table.partitionColumns.some(
    (name) => name === null || columns.some(({ column, mask }) => column.name === name && !mask.keeps),
  );
  return table.partitioned && keyIsMasked ? table : leaf;
}

function sizeOf(range: RowRange): number {
  if (range.blocks !== undefined) return Number.MAX_SAFE_INTEGER - range.blocks.from;
  return range.tids === undefined ? range.leaf.sizeBytes : (range.rows ?? 0);
}
