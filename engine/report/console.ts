import { stripVTControlCharacters, styleText } from "node:util";
import type { CheckResult } from "./check.ts";
import { formatDuration } from "./duration.ts";
import type { ReportBase } from "./report.ts";
import { byCategory, describeTotals, standingLabel, standingOf, worstFirst, type Standing } from "./standing.ts";

export interface ConsoleOptions {
  /** Default false. Whether a terminal wants colour is the caller's to know. */
  readonly color?: boolean;
  /** Also list what passed. Default false. */
  readonly verbose?: boolean;
}

const look = {
  failed: { mark: "✕", style: "red" },
  errored: { mark: "!", style: "magenta" },
  warning: { mark: "▲", style: "yellow" },
  skipped: { mark: "–", style: "gray" },
  passed: { mark: "✓", style: "green" },
} as const satisfies Record<Standing, { mark: string; style: string }>;

type Style = (typeof look)[Standing]["style"] | "bold" | "dim";
type Paint = (style: Style, text: string) => string;

/**
 * A report for a terminal: what failed first, each with evidence and remedy, then a line per category and one summary line.
 * Evidence is shown without control characters, so that what a server answered cannot steer the terminal.
 */
export function renderConsole(report: ReportBase, options: ConsoleOptions = {}): string {
  const paint: Paint = options.color === true ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text;
  const listed = worstFirst(report.checks).filter(
    (check) => options.verbose === true || (standingOf(check) !== "passed" && standingOf(check) !== "skipped"),
  );
  const blocks = [
    ...listed.map((check) => renderCheck(check, paint)),
    renderCategories(report.checks, paint),
    renderSummary(report, paint),
  ];
  return `${blocks.filter((block) => block !== "").join("\n")}\n`;
}

function renderCheck(check: CheckResult, paint: Paint): string {
  const standing = standingOf(check);
  const { mark, style } = look[standing];
  if (standing === "passed") {
    const seen = `${plain(check.evidence)} (${formatDuration(check.durationMs)})`;
    return `${paint(style, mark)} ${plain(check.title)}  ${paint("dim", seen)}`;
  }
  const lines = [
    `${paint(style, `${mark} ${standingLabel[standing]}`)}  ${paint("bold", plain(check.title))}  ${paint("dim", check.id)}`,
    indent(plain(check.evidence)),
  ];
  if (check.remedy !== undefined) lines.push(indent(`→ ${plain(check.remedy)}`));
  return `${lines.join("\n")}\n`;
}

function renderCategories(checks: readonly CheckResult[], paint: Paint): string {
  const categories = [...byCategory(checks)];
  const width = Math.max(0, ...categories.map(([category]) => category.length));
  return categories
    .map(([category, members]) => {
      const worst = standingOf(worstFirst(members)[0] ?? unreachable());
      const { mark, style } = look[worst];
      return `${paint(style, mark)} ${category.padEnd(width)}  ${describeTotals(members)}`;
    })
    .join("\n");
}

function renderSummary(report: ReportBase, paint: Paint): string {
  const passed = report.verdict === "passed";
  const verdict = paint(passed ? "green" : "red", passed ? "✓ passed" : "✕ failed");
  return `${verdict}: ${describeTotals(report.checks)} in ${formatDuration(report.durationMs)} (${report.workload}, stack ${report.stack})`;
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}

// oxlint-disable-next-line no-control-regex -- they are what is removed
const controls = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll(controls, "");
}

function unreachable(): never {
  throw new Error("a category without checks");
}
