import { quoteIdentifier } from "../postgres/identifier.ts";
import { rowAlias } from "../masking/compile.ts";
import { hexSql, keyedHashSql } from "../masking/hashSql.ts";
import { textSql } from "../masking/textSql.ts";
import type { RowRange } from "./maskedRows.ts";
import { rangeSql } from "./maskedRows.ts";
import { LeakIndex, probeDigits } from "./leakIndex.ts";
import type { Probe } from "./leakIndex.ts";
import { rangesOf } from "./ranges.ts";
import type { Selection } from "./selection.ts";
import { sourceFault } from "./sourceFault.ts";
import type { SourceSession } from "./sourceSession.ts";
import { firstTokensSql, longNumberSql, normalizedSql } from "./tokens.ts";
import type { TableTreatment, Treatment } from "./treatments.ts";

/** The domain of the probes' key: a random one of each run. */
export const leakDomain = "leak";

/** Originals of one column that are looked for; of a big table, a sample. */
const mostProbesPerColumn = 5_000;

export interface LeakProbes {
  readonly index: LeakIndex;
  /** Columns whose originals are looked for, with how many. */
  readonly probed: readonly { readonly column: string; readonly originals: number; readonly sampled: boolean }[];
  /** Masked columns whose originals mean nothing outside their row: dates, numbers, flags. */
  readonly unprobed: readonly string[];
  /** UUIDs are among the originals, so that columns of that type have to be read too. */
  readonly hasUuids: boolean;
}

/**
 * Hashes the originals of masked columns on the source, in the rows that are copied, to look for them in the copy.
 * Short ones are left out: "Anna" or "Berlin" stands anywhere by chance.
 */
export async function collectProbes(
  source: SourceSession,
  treatments: readonly TableTreatment[],
  selection: Selection,
  serverVersion: number,
  key: Buffer,
): Promise<LeakProbes> {
  const index = new LeakIndex(key);
  const probed: { column: string; originals: number; sampled: boolean }[] = [];
  const unprobed: string[] = [];
  let hasUuids = false;
  for (const treatment of treatments) {
    const ranges = rangesOf(treatment.table, selection, serverVersion);
    for (const column of treatment.columns) {
      if (column.mask.keeps || ranges.length === 0) continue;
      const name = `${treatment.table.key}.${column.column.name}`;
      const values = valuesSql(column);
      if (values === undefined) {
        unprobed.push(name);
        continue;
      }
      hasUuids ||= [column.column.family, column.column.elementFamily].some((family) => family === "uuid");
      let originals = 0;
      let sampled = false;
      for (const range of ranges) {
        if (originals >= mostProbesPerColumn) {
          sampled = true;
          break;
        }
        const sample = sampleOf(range);
        sampled ||= sample !== undefined;
        const { rows } = await source.client
          .query<Probe>(probesSql(values(rangeSql(range, sample)), mostProbesPerColumn - originals))
          .catch((cause: unknown) => {
            throw sourceFault(cause, `hashing the originals of ${name}`);
          });
        for (const probe of rows) index.add(probe, name);
        originals += rows.length;
      }
      probed.push({ column: name, originals, sampled });
    }
  }
  return { index, probed, unprobed, hasUuids };
}

function sampleOf(range: RowRange): number | undefined {
  const { estimatedRows } = range.leaf;
  if (range.tids !== undefined || estimatedRows <= mostProbesPerColumn) return undefined;
  return Math.max(0.01, (100 * mostProbesPerColumn) / estimatedRows);
}

/** Families whose values can be recognised anywhere; text that is only redacted stays as it is on purpose. */
function valuesSql({ column, rule, mask }: Treatment): ((from: string) => string) | undefined {
  const own = `${rowAlias}.${quoteIdentifier(column.name)}`;
  if (rule.mask === "redact") return undefined;
  switch (column.family) {
    case "text":
    case "uuid":
    case "inet":
      return (from) => `SELECT ${textSql(own)} AS value FROM ${from}`;
    case "array":
      if (!["text", "uuid", "inet"].includes(column.elementFamily ?? "")) return undefined;
      return (from) => `SELECT ${textSql(`unnest(${own})`)} AS value FROM ${from}`;
    case "json":
      return (from) => `
        SELECT leaf.value #>> '{}' AS value
          FROM (SELECT ${own}::jsonb AS original, (${mask.sql})::jsonb AS masked FROM ${from} OFFSET 0) AS pair
          CROSS JOIN LATERAL jsonb_path_query(pair.original, 'strict $.**') AS leaf(value)
         WHERE jsonb_typeof(leaf.value) = 'string'
           AND NOT EXISTS (SELECT FROM jsonb_path_query(pair.masked, 'strict $.**') AS kept(value) WHERE kept.value = leaf.value)`;
    default:
      return undefined;
  }
}

/** Enough for the first words; an original may be a whole book. */
const longestStart = 200;
const leastBytes = 8;
const leastBytesOfOneWord = 10;

function probesSql(values: string, limit: number): string {
  const hashed = (text: string): string => hexSql(keyedHashSql(leakDomain, text), probeDigits);
  return `
    SELECT DISTINCT CASE WHEN long_enough THEN ${hashed("words")} ELSE '' END AS words,
           CASE WHEN long_enough THEN ${hashed("split_part(words, ' ', 1)")} ELSE '' END AS "firstWord",
           CASE WHEN long_enough THEN octet_length(split_part(words, ' ', 1)) ELSE 0 END AS "firstWordBytes",
           CASE WHEN long_enough THEN cardinality(string_to_array(words, ' ')) ELSE 0 END AS "wordCount",
           CASE WHEN number IS NOT NULL THEN ${hashed("number")} END AS number
      FROM (SELECT words, number, octet_length(words) >= CASE WHEN position(' ' IN words) > 0 THEN ${leastBytes} ELSE ${leastBytesOfOneWord} END AS long_enough
              FROM (SELECT ${firstTokensSql(normalizedSql("value"))} AS words, ${longNumberSql("value")} AS number
                      FROM (SELECT left(value, ${longestStart}) AS value FROM (${values}) AS whole WHERE value IS NOT NULL OFFSET 0) AS originals OFFSET 0) AS cut OFFSET 0) AS judged
     WHERE long_enough OR number IS NOT NULL
     LIMIT ${limit}`;
}
