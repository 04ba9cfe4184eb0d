import { randomBytes } from "node:crypto";
import { quoteLiteral, quoteIdentifier } from "../postgres/identifier.ts";
import { rowAlias } from "../masking/compile.ts";
import { keySetting } from "../masking/key.ts";
import { exitCode, UnderstudyError } from "../errors.ts";
import { LeakHash } from "./leakHash.ts";
import { leastBytes, leastDigits, longestOriginal, numberSigns } from "./leakText.ts";
import type { RowRange } from "./maskedRows.ts";
import { rangeSql } from "./maskedRows.ts";
import { Originals } from "./originals.ts";
import { rangesOf } from "./ranges.ts";
import { readRows } from "./readRows.ts";
import type { RowPace } from "./rowPace.ts";
import type { Selection } from "./selection.ts";
import { sourceFault } from "./sourceFault.ts";
import type { SourceSession } from "./sourceSession.ts";
import type { TableTreatment, Treatment } from "./treatments.ts";
import { workThrough } from "./workers.ts";

/** The setting that holds the seed of the probes' hash: another one each run. */
export const leakDomain = "leak";

export interface LeakProbes {
  /** What {@link LeakHash} was seeded with. */
  readonly seed: Buffer;
  readonly originals: Originals;
  /** Columns whose originals are looked for, with how many; an origin's number is its place here. */
  readonly probed: readonly { readonly column: string; originals: number }[];
  /** Masked columns whose originals mean nothing outside their row: dates, numbers, flags. */
  readonly unprobed: readonly string[];
  /** UUIDs are among the originals, so that columns of that type have to be read too. */
  readonly hasUuids: boolean;
}

/** One query over some rows of a table, with the origin that each of its columns belongs to. */
interface Task {
  readonly table: string;
  readonly select: string;
  readonly origins: readonly number[];
}

/**
 * Hashes every original of the masked columns on the source, in the rows that are copied, to look for them in the copy: nothing
 * else of them leaves the source. Short ones are left out: "Anna" or "Berlin" stands anywhere by chance.
 */
export async function collectProbes(
  sources: readonly SourceSession[],
  treatments: readonly TableTreatment[],
  selection: Selection,
  serverVersion: number,
  seed: Buffer,
  pace?: RowPace,
): Promise<LeakProbes> {
  const probed: { column: string; originals: number }[] = [];
  const unprobed: string[] = [];
  const tasks: Task[] = [];
  let hasUuids = false;
  let expected = 0;
  for (const treatment of treatments) {
    const ranges = rangesOf(treatment.table, selection, serverVersion);
    // What follows a foreign key is the original of the column it points to.
    const columns = treatment.columns.filter(({ mask, follows }) => !mask.keeps && follows === undefined);
    if (ranges.length === 0) continue;
    const values: { readonly origin: number; readonly value: string }[] = [];
    for (const treated of columns) {
      const { column } = treated;
      const name = `${treatment.table.key}.${column.name}`;
      const value = ownValueSql(treated);
      const unnested = value === undefined ? unnestedValuesSql(treated) : undefined;
      if (value === undefined && unnested === undefined) {
        unprobed.push(name);
        continue;
      }
      hasUuids ||= [column.family, column.elementFamily].some((family) => family === "uuid");
      const origin = probed.push({ column: name, originals: 0 }) - 1;
      if (value !== undefined) values.push({ origin, value });
      if (unnested === undefined) continue;
      for (const range of ranges) {
        const select = `SELECT ${hashSql("value")} FROM (${unnested(rangeSql(range))}) AS leaf`;
        tasks.push({ table: treatment.table.key, select, origins: [origin] });
      }
    }
    expected += columns.length * ranges.reduce((sum, range) => sum + rowsOf(range), 0);
    if (values.length === 0) continue;
    const expressions = values.map(({ value }) => hashSql(value));
    const origins = values.map(({ origin }) => origin);
    for (const range of ranges) tasks.push({ table: treatment.table.key, select: `SELECT ${expressions.join(", ")} FROM ${rangeSql(range)}`, origins });
  }
  const originals = new Originals(expected);
  try {
    if (tasks.length > 0) await refuseOtherHash(sources[0], seed);
    await workThrough(tasks, sources, async ({ table, select, origins }, { client }) => {
      const reader = {
        value: (column: number, bytes: Buffer, start: number) => originals.add(origins[column] ?? 0, bytes.readInt32BE(start), bytes.readInt32BE(start + 4)),
        row: () => {},
      };
      await readRows(client, select, reader, pace).catch((cause: unknown) => {
        throw sourceFault(cause, `hashing the originals of ${table}`);
      });
    });
    originals.complete();
  } catch (error) {
    originals.close();
    throw error;
  }
  for (const [origin, column] of probed.entries()) column.originals = originals.countOf(origin);
  return { seed, originals, probed, unprobed, hasUuids };
}

function rowsOf({ rows, leaf, blocks }: RowRange): number {
  if (rows !== undefined) return rows;
  const leafBlocks = Math.max(1, leaf.sizeBytes / 8_192);
  return blocks === undefined ? leaf.estimatedRows : leaf.estimatedRows * Math.min(1, (blocks.to - blocks.from) / leafBlocks);
}

/** Values that can be recognised anywhere; text that is only redacted stays as it is on purpose. */
function ownValueSql({ column, rule }: Treatment): string | undefined {
  const own = `${rowAlias}.${quoteIdentifier(column.name)}`;
  if (rule.mask === "redact") return undefined;
  if (column.family === "text" || column.family === "uuid") return `${own}::text`;
  return column.family === "inet" ? `host(${own})` : undefined;
}

/** The same of what a value holds: elements of arrays, strings of JSON that the mask does not keep. */
function unnestedValuesSql({ column, rule, mask }: Treatment): ((from: string) => string) | undefined {
  const own = `${rowAlias}.${quoteIdentifier(column.name)}`;
  if (rule.mask === "redact") return undefined;
  if (column.family === "array") {
    if (!["text", "uuid", "inet"].includes(column.elementFamily ?? "")) return undefined;
    const element = column.elementFamily === "inet" ? `host(unnest(${own}))` : `unnest(${own})::text`;
    return (from) => `SELECT ${element} AS value FROM ${from}`;
  }
  if (column.family !== "json") return undefined;
  return (from) => `
    SELECT leaf.value #>> '{}' AS value
      FROM (SELECT ${own}::jsonb AS original, (${mask.sql})::jsonb AS masked FROM ${from} OFFSET 0) AS pair
      CROSS JOIN LATERAL jsonb_path_query(pair.original, 'strict $.**') AS leaf(value)
     WHERE jsonb_typeof(leaf.value) = 'string'
       AND NOT EXISTS (SELECT FROM jsonb_path_query(pair.masked, 'strict $.**') AS kept(value) WHERE kept.value = leaf.value)`;
}

/**
 * What is looked for of a text: of a number, its digits, whatever stands between them; of everything else, the value (of a long
 * one the beginning) in lower case without spaces around it. NULL where it is too short to be recognised.
 */
function hashSql(text: string): string {
  const value = `(${text}) COLLATE "C"`;
  const seed = `(SELECT ('x' || substr(current_setting('${keySetting(leakDomain)}'), 1, 16))::bit(64)::bigint)`;
  const trimmed = `CASE WHEN ascii(${value}) <= 32 OR ${value} LIKE '% ' THEN btrim(${value}, E' \\t\\r\\n') ELSE ${value} END`;
  const start = `CASE WHEN octet_length(${value}) > ${longestOriginal} THEN left(${trimmed}, ${longestOriginal}) ELSE ${trimmed} END`;
  const digits = `translate(${value}, ${quoteLiteral(numberSigns)}, '')`;
  // Digits and signs of a number sort before all letters. An address of the Internet is no number.
  const isNumber = `ascii(${value}) < 58 AND octet_length(${value}) BETWEEN ${leastDigits} AND ${longestOriginal} AND ${value} !~ '[^0-9${numberSigns.replace("-", "")}-]'
    AND NOT (${value} LIKE '%.%.%.%' AND ${value} ~ '^[0-9]{1,3}([.][0-9]{1,3}){3}$')`;
  return `CASE WHEN ${isNumber} THEN hashtextextended(${digits} COLLATE "C", ${seed})
    WHEN octet_length(${value}) >= ${leastBytes} THEN hashtextextended(lower((${start}) COLLATE "C"), ${seed}) END`;
}

/** @throws UnderstudyError (exit 3) when the source hashes otherwise than we do, as a big-endian machine would. */
async function refuseOtherHash(source: SourceSession | undefined, seed: Buffer): Promise<void> {
  const hash = new LeakHash(seed);
  const text = `x${randomBytes(16).toString("hex")}`;
  hash.digest(Buffer.from(text), 0, text.length);
  let agrees = false;
  if (source !== undefined) {
    await readRows(source.client, `SELECT ${hashSql(quoteLiteral(text))}`, {
      value: (_column, bytes, start) => (agrees = bytes.readInt32BE(start) === hash.high && bytes.readInt32BE(start + 4) === hash.low),
      row: () => {},
    });
  }
  if (agrees) return;
  throw new UnderstudyError("The source hashes texts otherwise than this program: originals could not be looked for in the copy.", {
    exitCode: exitCode.provisioning,
    remedy: "Its machine has another byte order. Copy from a standby on x86 or ARM.",
  });
}
