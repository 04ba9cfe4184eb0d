import { quoteLiteral } from "../postgres/identifier.ts";
import { keyedHashSql } from "./hashSql.ts";
import type { JsonNode } from "./jsonPath.ts";
import { domainOf } from "./rule.ts";
import type { JsonLeafRule } from "./rule.ts";
import { numberSql } from "./scalarMasks.ts";
import { transformers } from "./transformers.ts";

const jsonNull = `'null'::jsonb`;

/** SQL of a jsonb value treated by a tree of rules; keys without a rule are dropped or kept. */
export function jsonSql(root: JsonNode, value: string, others: "drop" | "keep"): string {
  let aliases = 0;

  const treat = (node: JsonNode, current: string): string => {
    if (node.rule !== undefined) return leafSql(node.rule, current, `l${(aliases += 1)}`);
    const alias = `j${(aliases += 1)}`;
    const branches = [...node.keys].map(([key, child]) => `WHEN ${quoteLiteral(key)} THEN ${treat(child, `${alias}.value`)}`);
    const objectSql =
      branches.length === 0
        ? undefined
        : `WHEN 'object' THEN (SELECT coalesce(jsonb_object_agg(${alias}.key, CASE ${alias}.key ${branches.join(" ")} ELSE ${alias}.value END), '{}'::jsonb)
             FROM jsonb_each(CASE WHEN jsonb_typeof(${current}) = 'object' THEN ${current} ELSE '{}'::jsonb END) AS ${alias}(key, value)
             ${others === "drop" ? `WHERE ${alias}.key IN (${[...node.keys.keys()].map(quoteLiteral).join(", ")})` : ""})`;
    const elements = node.elements;
    const element = `a${(aliases += 1)}`;
    const arraySql =
      elements === undefined
        ? undefined
        : `WHEN 'array' THEN (SELECT coalesce(jsonb_agg(${treat(elements, `${element}.value`)} ORDER BY ${element}.position), '[]'::jsonb)
             FROM jsonb_array_elements(CASE WHEN jsonb_typeof(${current}) = 'array' THEN ${current} ELSE '[]'::jsonb END) WITH ORDINALITY AS ${element}(value, position))`;
    const empty = others === "keep" ? current : `CASE jsonb_typeof(${current}) WHEN 'object' THEN '{}'::jsonb WHEN 'array' THEN '[]'::jsonb ELSE ${jsonNull} END`;
    if (objectSql === undefined && arraySql === undefined) return empty;
    return `CASE jsonb_typeof(${current}) ${objectSql ?? ""} ${arraySql ?? ""} ELSE ${empty} END`;
  };

  return treat(root, value);
}

function leafSql(rule: JsonLeafRule, value: string, alias: string): string {
  if (rule === "keep") return value;
  if (rule === "null") return jsonNull;
  const long = typeof rule === "string" ? { mask: rule, domain: undefined } : rule;
  if (long.mask === "constant") return `CASE jsonb_typeof(${value}) WHEN 'null' THEN ${value} ELSE ${quoteLiteral(JSON.stringify(long.value))}::jsonb END`;

  const text = `(${value} #>> '{}')`;
  const hashed = (sql: string): string =>
    `(SELECT ${sql} FROM (SELECT ${keyedHashSql(domainOf(long), text)} AS hash OFFSET 0) AS ${alias})`;
  const hash = `${alias}.hash`;
  if (long.mask === "number") {
    const number = `CASE WHEN jsonb_typeof(${value}) = 'number' THEN ${text} END`;
    const masked = numberSql(long, `(${number})`, hash, { baseType: "numeric", type: "numeric" });
    return `CASE jsonb_typeof(${value}) WHEN 'number' THEN to_jsonb(${hashed(masked)}) ELSE ${jsonNull} END`;
  }
  const transformer = transformers[long.mask];
  const masked = `(${transformer.sql({ value: text, hash }, { family: "text" })})::text`;
  const whenEmpty = transformer.keepsEmpty ? `WHEN ${value} = '""'::jsonb THEN ${value}` : "";
  return `CASE ${whenEmpty} WHEN jsonb_typeof(${value}) IN ('string', 'number') THEN to_jsonb(${hashed(masked)}) ELSE ${jsonNull} END`;
}
