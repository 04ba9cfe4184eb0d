import { createHash } from "node:crypto";
import { quoteIdentifier, quoteLiteral } from "../postgres/identifier.ts";
import type { ColumnShape } from "./column.ts";
import { keyedHashSql } from "./hashSql.ts";
import { jsonTree } from "./jsonPath.ts";
import { jsonSql } from "./jsonSql.ts";
import { arraySql } from "./arraySql.ts";
import { textSql } from "./textSql.ts";
import { domainOf } from "./rule.ts";
import type { ColumnRule, JsonLeafRule, PlainMask } from "./rule.ts";
import { dateShiftSql, numberSql, shiftSubjectSql } from "./scalarMasks.ts";
import { transformers } from "./transformers.ts";

/** One column's treatment as SQL over a row of alias `row`, whose hashes stand beside it as columns of their own. */
export interface CompiledMask {
  /** Of the column's own type. */
  readonly sql: string;
  /** Computed once a row: column alias to SQL; mostly hashes, bytea. */
  readonly hashes: ReadonlyMap<string, string>;
  /** Domains whose keys the session must hold. */
  readonly domains: readonly string[];
  /** Different values stay different. */
  readonly injective: boolean;
  /** The value itself comes through. */
  readonly keeps: boolean;
}

/** Alias of the row in every compiled expression. */
export const rowAlias = "t";

/**
 * Compiles a rule that {@link misfits} found nothing wrong with; `follow` must have been resolved.
 * @param like the column whose values these are, where a foreign key points to it: both get the same mask
 */
export function compileMask(rule: ColumnRule, column: ColumnShape, like: ColumnShape = column): CompiledMask {
  const own = `${rowAlias}.${quoteIdentifier(column.name)}`;
  const plain = (sql: string, extra: Partial<CompiledMask> = {}): CompiledMask => ({
    sql,
    hashes: new Map(),
    domains: [],
    injective: false,
    keeps: false,
    ...extra,
  });
  const cast = (sql: string): string => `CAST(CASE WHEN ${own} IS NULL THEN NULL ELSE (${sql}) END AS ${column.type})`;
  const withHash = (subject: string, make: (hash: string) => string, injective = false): CompiledMask => {
    const domain = domainOf(rule);
    const hashed = keyedHashSql(domain, subject);
    // Columns that hash the same, such as all dates of one subject, share it.
    const alias = aliasOf(hashed);
    return plain(make(`${rowAlias}.${quoteIdentifier(alias)}`), {
      hashes: new Map([[alias, hashed]]),
      domains: [domain],
      injective,
    });
  };

  switch (rule.mask) {
    case "keep":
      return plain(own, { injective: true, keeps: true });
    case "follow":
      throw new Error(`"follow" on ${column.name} was not resolved`);
    case "null":
      return plain(`CAST(NULL AS ${column.type})`, { injective: true });
    case "constant":
      return plain(cast(quoteLiteral(String(rule.value))));
    case "json":
      return plain(cast(jsonSql(jsonTree(rule.paths).root, `${own}::jsonb`, rule.others)), { domains: jsonDomains(rule.paths) });
    case "number":
      return withHash(`${own}::text`, (hash) => cast(numberSql(rule, own, hash, like)));
    case "date-shift":
      return withHash(shiftSubjectSql(rule, rowAlias, own), (hash) => cast(dateShiftSql(rule, own, hash)));
    case "expression":
      return withHash(`${own}::text`, (hash) => cast(expressionSql(rule.sql, own, hash)));
    default:
      return column.family === "array" ? plain(maskArray(rule, rule.mask, column, own), { domains: [domainOf(rule)] }) : scalar(rule.mask);
  }

  function scalar(mask: PlainMask): CompiledMask {
    const isText = column.family === "text";
    const value = isText ? textSql(own) : own;
    const hashed = like.baseType === "citext" ? `lower(${textSql(own)})` : `${own}::text`;
    const transformer = transformers[mask];
    const once = transformer.once?.(value);
    const beside = once === undefined ? {} : { once: `${rowAlias}.${quoteIdentifier(aliasOf(once))}` };
    const masked = withHash(hashed, (hash) => cast(filled(mask, value, isText, transformer.sql({ value, hash, ...beside }, like))), transformer.injective);
    return once === undefined ? masked : { ...masked, hashes: new Map([...masked.hashes, [aliasOf(once), once]]) };
  }
}

/** Of an expression that is computed once a row. */
function aliasOf(sql: string): string {
  return `understudy_${createHash("sha256").update(sql).digest("hex").slice(0, 16)}`;
}

function expressionSql(sql: string, value: string, hash: string): string {
  return sql.replaceAll("{value}", value).replaceAll("{hash}", `encode(${hash}, 'hex')`);
}

/** An empty text stays empty, where the transformer lets it. */
function filled(mask: PlainMask, value: string, isText: boolean, masked: string): string {
  return transformers[mask].keepsEmpty && isText ? `CASE WHEN ${value} = '' THEN '' ELSE (${masked})::text END` : masked;
}

function maskArray(rule: ColumnRule, mask: PlainMask, column: ColumnShape, own: string): string {
  const family = column.elementFamily ?? "other";
  const isText = family === "text";
  return arraySql({
    own,
    type: column.type,
    elementType: column.elementType ?? "text",
    domain: domainOf(rule),
    mask: (element, hash) => {
      const value = isText ? textSql(element) : element;
      return filled(mask, value, isText, `(${transformers[mask].sql({ value, hash }, { family })})`);
    },
  });
}

function jsonDomains(paths: Readonly<Record<string, JsonLeafRule>>): string[] {
  const domains = Object.values(paths).flatMap((rule) => {
    if (rule === "keep" || rule === "null") return [];
    if (typeof rule === "string") return [domainOf({ mask: rule })];
    return rule.mask === "constant" ? [] : [domainOf(rule)];
  });
  return [...new Set(domains)];
}
