import { rowAlias } from "../masking/compile.ts";
import { quoteIdentifier } from "../postgres/identifier.ts";
import { overHashedRows } from "./maskedRows.ts";
import { refuseBadOptions } from "./options.ts";
import type { CopyOptions } from "./options.ts";
import { withPreparedCopy } from "./prepareCopy.ts";
import type { PreparedCopy } from "./prepareCopy.ts";
import { rangesOf } from "./ranges.ts";
import type { TableSummary } from "./report.ts";
import { sourceFault } from "./sourceFault.ts";
import { Stages } from "./stages.ts";
import { summarizeTables } from "./summary.ts";
import type { TableTreatment } from "./treatments.ts";

export interface PlannedColumn {
  readonly column: string;
  readonly type: string;
  readonly treatment: string;
  readonly masked: boolean;
  readonly follows?: string | undefined;
  /** Masked values of some rows; none of kept columns, since those would be originals. */
  readonly samples: readonly string[];
  /** What stands in production in the same rows; only where it was asked for by name. */
  readonly originals?: readonly string[];
}

export interface PlannedTable extends Omit<TableSummary, "columns" | "bytes" | "durationMs"> {
  readonly columns: readonly PlannedColumn[];
}

/** What a copy would do. */
export interface CopyPlan {
  readonly rows: number;
  readonly tables: readonly PlannedTable[];
  /** The same for a terminal. */
  readonly text: string;
}

const sampleRows = 3;
const longestSample = 60;

/**
 * What a copy would bring and how every column would be treated, with masked samples. Checks all that a copy checks beforehand;
 * writes nothing on either server. With `showOriginals` (default false), production's values stand beside their masks.
 * @throws UnderstudyError as `copyData` does before it starts to copy.
 */
export async function planCopy(options: CopyOptions & { readonly showOriginals?: boolean }): Promise<CopyPlan> {
  refuseBadOptions(options);
  const stages = new Stages(options.onProgress, options.signal);
  return withPreparedCopy(options, stages, async (prepared) => {
    const summaries = summarizeTables(prepared);
    const tables = await stages.run("mask some samples", async () => {
      const planned: PlannedTable[] = [];
      for (const [index, treatment] of prepared.treatments.entries()) {
        const summary = summaries[index];
        if (summary === undefined) continue;
        const samples = await samplesOf(prepared, treatment, options.showOriginals ?? false);
        const columns = summary.columns.map((column) => ({ ...column, ...(samples.get(column.column) ?? { samples: [] }) }));
        planned.push({ table: summary.table, selection: summary.selection, rows: summary.rows, columns });
      }
      return planned;
    });
    return { rows: tables.reduce((sum, { rows }) => sum + rows, 0), tables, text: textOf(tables) };
  });
}

type Samples = Pick<PlannedColumn, "samples" | "originals">;

async function samplesOf(prepared: PreparedCopy, treatment: TableTreatment, showOriginals: boolean): Promise<Map<string, Samples>> {
  const shown = showOriginals ? treatment.columns : treatment.columns.filter(({ mask }) => !mask.keeps);
  const [range] = rangesOf(treatment.table, prepared.selection, prepared.catalog.serverVersion);
  if (shown.length === 0 || range === undefined) return new Map();
  const cut = (sql: string): string => `left((${sql})::text, ${longestSample})`;
  const masks = shown.map(({ mask }) => cut(mask.sql));
  const originals = showOriginals ? shown.map(({ column }) => cut(`${rowAlias}.${quoteIdentifier(column.name)}`)) : [];
  const { rows } = await prepared.lead.client
    .query<(string | null)[]>({ text: `${overHashedRows(shown, [...masks, ...originals].join(", "), range)} LIMIT ${sampleRows}`, rowMode: "array" })
    .catch((cause: unknown) => {
      throw sourceFault(cause, `masking samples of ${treatment.table.key}`);
    });
  const valuesAt = (position: number): string[] => rows.map((row) => row[position] ?? "NULL");
  return new Map(
    shown.map(({ column, mask }, index) => [
      column.name,
      { samples: mask.keeps ? [] : valuesAt(index), ...(showOriginals ? { originals: valuesAt(shown.length + index) } : {}) },
    ]),
  );
}

function textOf(tables: readonly PlannedTable[]): string {
  const blocks = tables.map((table) => {
    const width = Math.max(0, ...table.columns.map(({ column }) => column.length));
    const lines = table.columns.map(({ column, treatment, follows, samples, originals = [] }) => {
      const how = follows === undefined ? treatment : `${treatment}, as ${follows}`;
      return `  ${column.padEnd(width)}  ${how}${listed("e.g.", samples)}${listed("originals:", originals)}`;
    });
    return [`${table.table}: ${table.rows} rows (${table.selection})`, ...lines].join("\n");
  });
  return blocks.join("\n\n");
}

function listed(before: string, values: readonly string[]): string {
  return values.length === 0 ? "" : `  ${before} ${values.map((value) => JSON.stringify(value)).join(", ")}`;
}
