import { quoteIdentifier } from "../postgres/identifier.ts";
import type { ColumnShape } from "./column.ts";
import { integerSql } from "./hashSql.ts";
import type { ColumnRule } from "./rule.ts";

export type NumberRule = Extract<ColumnRule, { mask: "number" }>;
export type DateShiftRule = Extract<ColumnRule, { mask: "date-shift" }>;

const largest: Readonly<Record<string, string>> = {
  int2: "32767",
  int4: "2147483647",
  int8: "9223372036854775807",
};

/** The largest number of a column's type, as SQL, or nothing where there is no bound worth minding. */
function boundOf(column: Pick<ColumnShape, "baseType" | "type">): string | undefined {
  const precision = /numeric\((\d+),(-?\d+)\)/.exec(column.type);
  if (precision !== null) return `(10::numeric ^ ${Number(precision[1]) - Number(precision[2])} - 10::numeric ^ -(${precision[2]}))`;
  return largest[column.baseType];
}

/** Rounded into its bucket, or with keyed noise; as many decimals as before, never beyond its type. */
export function numberSql(rule: NumberRule, value: string, hash: string, column: Pick<ColumnShape, "baseType" | "type">): string {
  const number = `${value}::numeric`;
  const masked =
    rule.bucket === undefined
      ? `round(${number} * (1 + (${integerSql(hash, 4)}::numeric / 2147483648 - 1) * ${rule.noisePercent} / 100), scale(${number}))`
      : `floor(${number} / ${rule.bucket}) * ${rule.bucket}`;
  const bound = boundOf(column);
  return bound === undefined ? masked : `greatest(least(${masked}, ${bound}), -${bound})`;
}

/** 1 to `days` days earlier; as many for every date of one subject. */
export function dateShiftSql(rule: DateShiftRule, value: string, hash: string): string {
  return `${value} - make_interval(days => (1 + mod(${integerSql(hash, 4)}, ${rule.days}))::int)`;
}

/** What a date's shift is hashed from, as SQL of type text. */
export function shiftSubjectSql(rule: DateShiftRule, table: string, value: string): string {
  return rule.subject === undefined ? `${value}::text` : `coalesce(${table}.${quoteIdentifier(rule.subject)}::text, ${value}::text)`;
}
