import { copyFile, mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { renderConsole } from "../engine/report/console.ts";
import type { ReportBase, ReportFiles } from "../engine/report/report.ts";
import type { Console } from "./console.ts";

export interface ShowOptions {
  readonly json: boolean;
  readonly verbose: boolean;
}

/** A report on stdout: as JSON, or for a person with the path of its page. */
export function showReport(console: Console, report: ReportBase, files: ReportFiles, { json, verbose }: ShowOptions): void {
  if (json) {
    console.result(JSON.stringify(report, null, 2));
    return;
  }
  console.result(renderConsole(report, { color: console.color, verbose }));
  console.result(`Page: ${files.html}`);
}

/** Where a result should also go. */
export interface CopiesOptions {
  readonly junit?: string;
  readonly html?: string;
}

/** `--junit FILE`, `--html FILE`: a copy where the caller, such as a CI job, looks for it. */
export async function copyReport(files: ReportFiles, { junit, html }: CopiesOptions): Promise<void> {
  const copies = [
    ...(html === undefined ? [] : [[files.html, html] as const]),
    ...(junit === undefined || files.junit === undefined ? [] : [[files.junit, junit] as const]),
  ];
  for (const [from, to] of copies) {
    const target = resolve(to);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(from, target);
  }
}
