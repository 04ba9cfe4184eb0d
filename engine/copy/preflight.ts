import { exitCode, UnderstudyError } from "../errors.ts";
import { quoteIdentifier } from "../postgres/identifier.ts";
import type { UniqueKey } from "./catalog.ts";
import { brokenExclusions } from "./exclusionTrial.ts";
import { misfitsInRows } from "./fitTrial.ts";
import { maskedRowsSql } from "./maskedRows.ts";
import type { RowRange } from "./maskedRows.ts";
import { rangesOf } from "./ranges.ts";
import type { Selection } from "./selection.ts";
import { sourceFault } from "./sourceFault.ts";
import type { SourceSession } from "./sourceSession.ts";
import type { TableTreatment } from "./treatments.ts";

/** A whole relation beyond this is asked about a sample of its rows; what the sample misses, loading finds. */
const sampledBeyondRows = 100_000;

/**
 * Tries the masks on the rows to be copied, on the source, before anything is made on the target:
 * CHECK constraints that read a masked column, and unique keys whose masks could collide.
 * @throws UnderstudyError (exit 4) that names every constraint a mask would break.
 */
export async function tryMasks(
  source: SourceSession,
  treatments: readonly TableTreatment[],
  selection: Selection,
  serverVersion: number,
): Promise<void> {
  const problems: string[] = [];
  for (const treatment of treatments) {
    const ranges = rangesOf(treatment.table, selection, serverVersion);
    if (ranges.length === 0) continue;
    const misfits = await misfitsInRows(source, treatment, selection, serverVersion);
    problems.push(...misfits);
    if (misfits.length > 0) continue;
    problems.push(
      ...(await brokenChecks(source, treatment, ranges)),
      ...(await collisions(source, treatment, ranges)),
      ...(await brokenExclusions(source, treatment, ranges)),
    );
  }
  if (problems.length === 0) return;
  throw new UnderstudyError(`Nothing was copied: masks would break ${problems.length} constraint(s): ${problems.join("; ")}.`, {
    exitCode: exitCode.checkFailed,
    remedy: "Choose other transformers for these columns in masking.yaml.",
  });
}

async function brokenChecks(source: SourceSession, treatment: TableTreatment, ranges: readonly RowRange[]): Promise<string[]> {
  const masked = new Set(treatment.columns.filter(({ mask }) => !mask.keeps).map(({ column }) => column.name));
  const copied = new Set(treatment.columns.map(({ column }) => column.name));
  const concerned = treatment.table.checks.filter(
    (check) => check.columns.some((name) => masked.has(name)) && check.columns.every((name) => copied.has(name)),
  );
  const problems: string[] = [];
  for (const check of concerned) {
    const columns = treatment.columns.filter(({ column }) => check.columns.includes(column.name));
    const broken = await count(
      source,
      `SELECT count(*)::float8 AS rows FROM (${unionOf({ ...treatment, columns }, ranges, true)}) AS masked WHERE NOT (${check.expression})`,
      `trying the masks of ${treatment.table.key} against ${check.name}`,
    );
    if (broken > 0) problems.push(`${treatment.table.key}: CHECK ${check.name} in ${broken} row(s)`);
  }
  return problems;
}

async function collisions(source: SourceSession, treatment: TableTreatment, ranges: readonly RowRange[]): Promise<string[]> {
  const problems: string[] = [];
  for (const key of treatment.table.uniqueKeys) {
    if (!mayCollide(key, treatment)) continue;
    const generated = treatment.table.columns.filter(({ name, generation }) => generation !== undefined && key.columns.includes(name));
    // What a generated column is computed from may be any other.
    const columns = generated.length > 0 ? treatment.columns : treatment.columns.filter(({ column }) => key.columns.includes(column.name));
    const computed = generated.map(({ name, generation }) => `, ${generation} AS ${quoteIdentifier(name)}`).join("");
    const expressions = key.expressions.join(", ");
    const conditions = [...key.expressions.map((expression) => `(${expression}) IS NOT NULL`), ...(key.predicate === undefined ? [] : [`(${key.predicate})`])];
    const found = await count(
      source,
      `SELECT count(*)::float8 AS rows FROM (
         SELECT FROM (SELECT masked.*${computed} FROM (${unionOf({ ...treatment, columns }, ranges, false)}) AS masked) AS masked
          WHERE ${conditions.join(" AND ")} GROUP BY ${expressions} HAVING count(*) > 1) AS twice`,
      `looking for collisions in ${treatment.table.key}`,
    );
    if (found > 0) problems.push(`${treatment.table.key}: ${found} value(s) of unique ${key.name} (${key.columns.join(", ")}) would be there twice`);
  }
  return problems;
}

/** Not where all that is masked stays different, column by column; an expression over a mask may still make it equal. */
function mayCollide(key: UniqueKey, treatment: TableTreatment): boolean {
  const columns = treatment.columns.filter(({ column }) => key.columns.includes(column.name));
  const isGenerated = treatment.table.columns.some(({ name, generation }) => generation !== undefined && key.columns.includes(name));
  if (isGenerated) return treatment.columns.some(({ mask }) => !mask.keeps);
  if (columns.every(({ mask }) => mask.keeps) || columns.length < key.columns.length) return false;
  const plain = key.expressions.length === key.columns.length && key.predicate === undefined;
  return !plain || columns.some(({ mask }) => !mask.injective);
}

function unionOf(treatment: TableTreatment, ranges: readonly RowRange[], maySample: boolean): string {
  const samples = (range: RowRange): number | undefined =>
    maySample && range.tids === undefined && range.leaf.estimatedRows > sampledBeyondRows
      ? Math.max(0.01, (100 * sampledBeyondRows) / range.leaf.estimatedRows)
      : undefined;
  return ranges.map((range) => maskedRowsSql(treatment, range, samples(range))).join(" UNION ALL ");
}

async function count(source: SourceSession, sql: string, doing: string): Promise<number> {
  const { rows } = await source.client.query<{ rows: number }>(sql).catch((cause: unknown) => {
    throw sourceFault(cause, doing);
  });
  return rows[0]?.rows ?? 0;
}
