import { quoteIdentifier } from "../postgres/identifier.ts";
import { overHashedRows } from "./maskedRows.ts";
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
 * writes nothing on either server.
 * @throws UnderstudyError as `copyData` does before it starts to copy.
 */
export async function planCopy(options: CopyOptions): Promise<CopyPlan> {
  const stages = new Stages(options.onProgress, options.signal);
  return withPreparedCopy(options, stages, async (prepared) => {
    const summaries = summarizeTables(prepared);
    const tables = await stages.run("mask some samples", async () => {
      const planned: PlannedTable[] = [];
      for (const [index, treatment] of prepared.treatments.entries()) {
        const summary = summaries[index];
        if (summary === undefined) continue;
        const samples = await samplesOf(prepared, treatment);
        const columns = summary.columns.map((column) => ({ ...column, samples: samples.get(column.column) ?? [] }));
        planned.push({ table: summary.table, selection: summary.selection, rows: summary.rows, columns });
      }
      return planned;
    });
    return { rows: tables.reduce((sum, { rows }) => sum + rows, 0), tables, text: textOf(tables) };
  });
}

async function samplesOf(prepared: PreparedCopy, treatment: TableTreatment): Promise<Map<string, string[]>> {
  const masked = treatment.columns.filter(({ mask }) => !mask.keeps);
  const [range] = rangesOf(treatment.table, prepared.selection, prepared.catalog.serverVersion);
  if (masked.length === 0 || range === undefined) return new Map();
  const expressions = masked.map(({ column, mask }) => `left((${mask.sql})::text, ${longestSample}) AS ${quoteIdentifier(column.name)}`).join(", ");
  const { rows } = await prepared.lead.client
    .query<Record<string, string | null>>(`${overHashedRows(masked, expressions, range)} LIMIT ${sampleRows}`)
    .catch((cause: unknown) => {
      throw sourceFault(cause, `masking samples of ${treatment.table.key}`);
    });
  return new Map(masked.map(({ column }) => [column.name, rows.map((row) => row[column.name] ?? "NULL")]));
}

function textOf(tables: readonly PlannedTable[]): string {
  const blocks = tables.map((table) => {
    const width = Math.max(0, ...table.columns.map(({ column }) => column.length));
    const lines = table.columns.map(({ column, treatment, follows, samples }) => {
      const how = follows === undefined ? treatment : `${treatment}, as ${follows}`;
      return `  ${column.padEnd(width)}  ${how}${samples.length === 0 ? "" : `  e.g. ${samples.map((sample) => JSON.stringify(sample)).join(", ")}`}`;
    });
    return [`${table.table}: ${table.rows} rows (${table.selection})`, ...lines].join("\n");
  });
  return blocks.join("\n\n");
}
