import type { ColumnShape, TypeFamily } from "./column.ts";
import { jsonTree } from "./jsonPath.ts";
import type { ColumnRule, PlainMask } from "./rule.ts";
import { transformers } from "./transformers.ts";

/**
 * What the catalog already proves wrong about a rule on a column: the type it cannot treat, NULL where none may be,
 * a mask longer than the column. Empty when nothing is.
 */
export function misfits(rule: ColumnRule, column: ColumnShape): string[] {
  switch (rule.mask) {
    case "keep":
    case "follow":
    case "expression":
      return [];
    case "null":
      return column.notNull ? [`null in a column that is NOT NULL`] : [];
    case "constant":
      return constantMisfits(rule.value, column);
    case "json":
      return [...familyMisfits(rule.mask, column.family, ["json"]), ...jsonTree(rule.paths).problems];
    case "number":
      return familyMisfits(rule.mask, column.family, ["number"]);
    case "date-shift":
      return familyMisfits(rule.mask, column.family, ["date"]);
    default:
      return plainMisfits(rule.mask, column);
  }
}

function familyMisfits(mask: string, family: TypeFamily, accepts: readonly TypeFamily[]): string[] {
  return accepts.includes(family) ? [] : [`${mask} treats ${accepts.join(" or ")}, not ${family}`];
}

function plainMisfits(mask: PlainMask, column: ColumnShape): string[] {
  const { accepts, minLength = 1 } = transformers[mask];
  const isArray = column.family === "array";
  const family = isArray ? (column.elementFamily ?? "other") : column.family;
  const problems = familyMisfits(mask, family, accepts);
  if (problems.length === 0 && family === "text" && (column.maxLength ?? minLength) < minLength) {
    problems.push(`${mask} needs ${minLength} characters, the column holds ${column.maxLength}`);
  }
  return problems;
}

function constantMisfits(value: string | number | boolean, column: ColumnShape): string[] {
  const text = String(value);
  if (column.labels !== undefined && !column.labels.includes(text)) {
    return [`constant "${text}" is not one of ${column.labels.join(", ")}`];
  }
  if (column.maxLength !== undefined && text.length > column.maxLength) {
    return [`constant of ${text.length} characters, the column holds ${column.maxLength}`];
  }
  return [];
}
