import { quoteIdentifier } from "../postgres/identifier.ts";
import { hasSqlState } from "../postgres/session.ts";
import { overHashedRows } from "./maskedRows.ts";
import { rangesOf } from "./ranges.ts";
import type { Selection } from "./selection.ts";
import { sourceFault } from "./sourceFault.ts";
import type { SourceSession } from "./sourceSession.ts";
import type { TableTreatment, Treatment } from "./treatments.ts";

/** A whole relation beyond this is asked about a sample of its rows; what the sample misses, loading finds. */
const sampledBeyondRows = 100_000;

/** A value that is too long, NULL, or refused by a CHECK, whatever it was made by. */
const refused = ["22001", "23502", "23514"] as const;
/** A text that is no number, date or label of the type. An expression of the policy's own may fail so by itself. */
const unreadable = ["22003", "22007", "22008", "22P02"] as const;

/**
 * Tries masks whose fit the catalog alone cannot prove (an expression of the policy's own, a constant, a domain with its
 * checks) on the rows to be copied, on the source. A mask that does not fit shows there, not after an hour of loading.
 * @returns what does not fit, in words without a value
 */
export async function misfitsInRows(source: SourceSession, treatment: TableTreatment, selection: Selection, serverVersion: number): Promise<string[]> {
  const problems: string[] = [];
  for (const column of treatment.columns.filter(needsTrial)) {
    const problem = await tryColumn(source, treatment, column, selection, serverVersion);
    if (problem !== undefined) problems.push(problem);
  }
  return problems;
}

function needsTrial({ column, rule, mask }: Treatment): boolean {
  return !mask.keeps && (column.isDomain || rule.mask === "expression" || rule.mask === "constant");
}

async function tryColumn(
  { client }: SourceSession,
  { table }: TableTreatment,
  treatment: Treatment,
  selection: Selection,
  serverVersion: number,
): Promise<string | undefined> {
  const { column, mask } = treatment;
  const name = `${table.key}.${column.name}`;
  const ranges = rangesOf(table, selection, serverVersion);
  for (const range of ranges) {
    const sample = range.tids === undefined && range.leaf.estimatedRows > sampledBeyondRows ? Math.max(0.01, (100 * sampledBeyondRows) / range.leaf.estimatedRows) : undefined;
    const masked = overHashedRows([treatment], `${mask.sql} AS ${quoteIdentifier("masked")}`, range, sample);
    await client.query("SAVEPOINT trial");
    try {
      const { rows } = await client.query<{ nulls: number }>(`SELECT count(*) FILTER (WHERE masked IS NULL)::float8 AS nulls FROM (${masked} OFFSET 0) AS tried`);
      const nulls = rows[0]?.nulls ?? 0;
      if (column.notNull && nulls > 0) return `${name}: NULL in ${nulls} row(s) of a column that is NOT NULL`;
    } catch (cause) {
      const states = treatment.rule.mask === "expression" && column.labels === undefined ? refused : [...refused, ...unreadable];
      if (!hasSqlState(cause, ...states)) throw sourceFault(cause, `trying the mask of ${name}`);
      return `${name}: its mask does not fit ${column.type}${hasSqlState(cause, "23514") ? ", whose CHECK refuses it" : ""}`;
    } finally {
      await client.query("ROLLBACK TO SAVEPOINT trial; RELEASE SAVEPOINT trial").catch(() => {});
    }
  }
  return undefined;
}
