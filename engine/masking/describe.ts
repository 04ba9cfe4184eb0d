import type { ColumnRule } from "./rule.ts";

/** A rule as a person would say it, for plans and reports: `email`, `date-shift (30 days, by userId)`. */
export function describeRule(rule: ColumnRule): string {
  switch (rule.mask) {
    case "keep":
      return "kept";
    case "null":
      return "NULL";
    case "follow":
      return "as its target";
    case "date-shift":
      return `date-shift (up to ${rule.days} days${rule.subject === undefined ? "" : `, by ${rule.subject}`})`;
    case "number":
      return rule.bucket === undefined ? `number (noise up to ${rule.noisePercent}%)` : `number (in steps of ${rule.bucket})`;
    case "constant":
      return "constant";
    case "expression":
      return "expression";
    case "json":
      return `json (${Object.keys(rule.paths).length} path(s), others: ${rule.others})`;
    default:
      return rule.domain === undefined ? rule.mask : `${rule.mask} (domain ${rule.domain})`;
  }
}
