import { hasSqlState } from "../postgres/session.ts";
import type { Exclusion } from "./catalog.ts";
import { maskedRowsSql } from "./maskedRows.ts";
import type { RowRange } from "./maskedRows.ts";
import { sourceFault } from "./sourceFault.ts";
import type { SourceSession } from "./sourceSession.ts";
import type { TableTreatment } from "./treatments.ts";

/** Pairs of more rows than these are not compared; building the constraint then finds what is wrong. */
const mostRowsCompared = 20_000;

/**
 * Exclusion constraints that masked rows would break: every pair of rows is held against the operators, on the source.
 * @returns what would break, in words without a value
 */
export async function brokenExclusions(source: SourceSession, treatment: TableTreatment, ranges: readonly RowRange[]): Promise<string[]> {
  const rows = ranges.reduce((sum, range) => sum + (range.rows ?? range.leaf.estimatedRows), 0);
  if (rows > mostRowsCompared) return [];
  const masked = new Set(treatment.columns.filter(({ mask }) => !mask.keeps).map(({ column }) => column.name));
  const problems: string[] = [];
  for (const exclusion of treatment.table.exclusions.filter(({ columns }) => columns.some((name) => masked.has(name)))) {
    const problem = await tryExclusion(source, treatment, ranges, exclusion);
    if (problem !== undefined) problems.push(`${treatment.table.key}: ${problem}`);
  }
  return problems;
}

async function tryExclusion({ client }: SourceSession, treatment: TableTreatment, ranges: readonly RowRange[], exclusion: Exclusion): Promise<string | undefined> {
  const { name, expressions, operators, predicate } = exclusion;
  const rows = ranges.map((range) => maskedRowsSql(treatment, range)).join(" UNION ALL ");
  const columns = expressions.map((expression, index) => `(${expression}) AS x${index}`).join(", ");
  const overlap = operators.map((operator, index) => `one.x${index} ${operator} other.x${index}`).join(" AND ");
  await client.query("SAVEPOINT trial");
  try {
    const { rows: found } = await client.query<{ pairs: number }>(
      `WITH keyed AS MATERIALIZED (SELECT row_number() OVER () AS place, ${columns} FROM (${rows}) AS masked ${predicate === undefined ? "" : `WHERE ${predicate}`})
       SELECT count(*)::float8 AS pairs FROM keyed AS one JOIN keyed AS other ON one.place < other.place AND ${overlap}`,
    );
    const pairs = found[0]?.pairs ?? 0;
    return pairs === 0 ? undefined : `EXCLUDE ${name} by ${pairs} pair(s) of rows`;
  } catch (cause) {
    if (hasSqlState(cause, "22000")) return `EXCLUDE ${name}: masks make a range whose end comes before its beginning`;
    throw sourceFault(cause, `trying the masks of ${treatment.table.key} against ${name}`);
  } finally {
    await client.query("ROLLBACK TO SAVEPOINT trial; RELEASE SAVEPOINT trial").catch(() => {});
  }
}
