const words = new Set(
  ("and or unless on ignoring group_left group_right bool by without offset atan2 inf nan sum avg min max count topk bottomk quantile " +
    "stddev stdvar group count_values start end").split(" "),
);

/** Names of the metrics that a PromQL expression reads. */
export function metricNamesOf(promql: string): string[] {
  const bare = promql
    .replaceAll(/"[^"]*"|'[^']*'/g, "")
    .replaceAll(/\{[^}]*\}/g, "")
    .replaceAll(/\[[^\]]*\]/g, "")
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, "");
  const names = [...bare.matchAll(/(?<![\w.])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])/g)].map(([name]) => name);
  return [...new Set(names.filter((name) => !words.has(name.toLowerCase())))].sort();
}
