import { styled, seconds, type Console } from "./console.ts";
import { countByOperation, operations, type Plan, type PlannedChange, type PlannedOperation, type PropertyChange } from "./plan.ts";

const signs: Readonly<Record<PlannedOperation, string>> = { replace: "+-", delete: "- ", update: "~ ", create: "+ ", same: "  " };
const colors = { replace: "magenta", delete: "red", update: "yellow", create: "green", same: "dim" } as const;
const longestValue = 400;

function moving(plan: Plan): PlannedChange[] {
  return operations.filter((operation) => operation !== "same").flatMap((wanted) => plan.changes.filter(({ operation }) => operation === wanted));
}

function countsOf(plan: Plan): string {
  const counts = countByOperation(plan.changes);
  const parts = operations.filter((operation) => operation !== "same" && counts[operation] > 0).map((operation) => `${counts[operation]} to ${operation}`);
  return parts.length === 0 ? `no changes, ${counts.same} resources as they are` : `${parts.join(", ")}, ${counts.same} as they are`;
}

function shown(value: unknown): string {
  if (value === undefined) return "(none)";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > longestValue ? `${text.slice(0, longestValue)}…` : text;
}

/** Lines that differ between two texts, without what they share at both ends; a whole file is no answer. */
function changeLines({ property, before, after }: PropertyChange): string[] {
  if (typeof before !== "string" || typeof after !== "string" || !before.includes("\n") || !after.includes("\n")) {
    return [`${property}: ${shown(before)} => ${shown(after)}`];
  }
  const olds = before.split("\n");
  const news = after.split("\n");
  const oldSet = new Set(olds);
  const newSet = new Set(news);
  return [
    `${property}:`,
    ...olds.filter((line) => !newSet.has(line)).map((line) => `  - ${line.trim()}`),
    ...news.filter((line) => !oldSet.has(line)).map((line) => `  + ${line.trim()}`),
  ];
}

export function planAsText(plan: Plan, options: { readonly console: Console; readonly diff: boolean }): string {
  const { console, diff } = options;
  const lines = moving(plan).flatMap((change) => {
    const line = styled(console, colors[change.operation], `${signs[change.operation]} ${change.resource} (${change.kind})`);
    const names = change.properties.map(({ property }) => property);
    const why = names.length === 0 || diff ? "" : `  ${[...new Set(names)].slice(0, 4).join(", ")}${names.length > 4 ? ", …" : ""}`;
    return [`${line}${why}`, ...(diff ? change.properties.flatMap(changeLines).map((text) => `      ${text}`) : [])];
  });
  return [...lines, `Stack ${plan.stack}: ${countsOf(plan)} (${seconds(plan.durationMs)})`].join("\n");
}

const headings: Readonly<Record<Exclude<PlannedOperation, "same">, string>> = {
  replace: "Replaced",
  delete: "Destroyed",
  update: "Updated in place",
  create: "Created",
};

/** A fence longer than any run of backticks within. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}diff\n${text}\n${fence}`;
}

/** Markdown for a pull-request comment: what is replaced or destroyed leads, the rest is folded. */
export function planAsMarkdown(plan: Plan, diff: boolean): string {
  const counts = countByOperation(plan.changes);
  const dangerous = counts.replace + counts.delete;
  const title = dangerous > 0 ? `⚠️ ${dangerous} resource(s) replaced or destroyed` : moving(plan).length > 0 ? "Changes, nothing replaced or destroyed" : "No changes";
  const sections = operations.flatMap((operation) => {
    if (operation === "same") return [];
    const changes = plan.changes.filter((change) => change.operation === operation);
    if (changes.length === 0) return [];
    const rows = changes.map(({ resource, kind, properties }) => {
      const names = [...new Set(properties.map(({ property }) => property))];
      return `| \`${resource}\` | ${kind} | ${names.slice(0, 4).map((name) => `\`${name}\``).join(", ")}${names.length > 4 ? ", …" : ""} |`;
    });
    const body = ["| resource | kind | because of |", "|---|---|---|", ...rows].join("\n");
    const leads = operation === "replace" || operation === "delete";
    const heading = `${headings[operation]} (${changes.length})`;
    return leads ? [`#### ${heading}`, body] : [`<details><summary>${heading}</summary>\n\n${body}\n\n</details>`];
  });
  const details = diff ? moving(plan).flatMap(({ resource, properties }) => properties.flatMap(changeLines).map((line) => `${resource} ${line}`)) : [];
  return [
    `<!-- understudy-preview ${plan.stack} -->`,
    `### Stack \`${plan.stack}\`: ${title}`,
    "",
    `${countsOf(plan)}.${plan.exists ? "" : " The stack does not exist yet."}`,
    "",
    ...sections.flatMap((section) => [section, ""]),
    ...(details.length === 0 ? [] : [`<details><summary>Properties</summary>\n\n${fenced(details.join("\n"))}\n\n</details>`, ""]),
  ].join("\n");
}
