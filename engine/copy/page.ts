import { formatDuration } from "../report/duration.ts";
import { html } from "../report/html.ts";
import type { Html } from "../report/html.ts";
import { renderPage } from "../report/page.ts";
import type { Figure, PageSection } from "../report/page.ts";
import type { CopyReport, TableSummary } from "./report.ts";

/** The page of one copy: verdict, proofs, then every table with every column's treatment. */
export function renderCopyPage(report: CopyReport): string {
  return renderPage({
    title: report.dryRun ? "Data copy, dry run" : "Data copy",
    stack: report.stack,
    workload: report.workload,
    verdict: report.verdict,
    headline: headlineOf(report),
    startedAt: report.startedAt,
    durationMs: report.durationMs,
    figures: figuresOf(report),
    checks: report.checks,
    sections: sectionsOf(report),
  });
}

function headlineOf(report: CopyReport): string {
  const what = `${report.rows.toLocaleString("en")} rows of ${report.tables.filter(({ rows }) => rows > 0).length} tables`;
  if (report.dryRun) return `${what} would be copied. Nothing was written.`;
  if (report.switched) return `${what} are in ${report.target.database}, masked and proved; production was not written to.`;
  return `The copy was not switched in: ${report.target.database} is as it was before.`;
}

function figuresOf(report: CopyReport): Figure[] {
  const columns = report.tables.flatMap((table) => table.columns);
  return [
    { label: "Rows", value: report.rows.toLocaleString("en") },
    { label: "Data", value: readableBytes(report.bytes) },
    { label: "Columns masked", value: `${columns.filter(({ masked }) => masked).length} of ${columns.length}` },
    {
      label: "Originals looked for",
      value: report.probes.reduce((sum, { originals }) => sum + originals, 0).toLocaleString("en"),
      note: `in ${report.probes.length} columns`,
    },
    { label: "Source sessions", value: String(report.source.sessions), note: "all read-only" },
  ];
}

function readableBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(1)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

function sectionsOf(report: CopyReport): PageSection[] {
  const sections: PageSection[] = [
    { title: "Tables", body: tablesOf(report) },
    { title: "How every column is treated", body: html`${report.tables.map(treatmentsOf)}` },
  ];
  if (report.probes.length > 0) sections.push({ title: "Originals looked for in the copy", body: probesOf(report) });
  if (report.cut.length > 0) {
    sections.push({
      title: "References cut",
      body: html`<table><thead><tr><th scope="col">Reference</th><th scope="col" class="number">Rows set to NULL</th></tr></thead>
<tbody>${report.cut.map(({ reference, rows }) => html`<tr><td>${reference}</td><td class="number">${rows}</td></tr>`)}</tbody></table>`,
    });
  }
  if (report.leftOut.length > 0) sections.push({ title: "Left out", body: html`<ul>${report.leftOut.map((entry) => html`<li>${entry}</li>`)}</ul>` });
  sections.push({ title: "Times", body: stagesOf(report) });
  return sections;
}

function tablesOf(report: CopyReport): Html {
  return html`<table><thead><tr><th scope="col">Table</th><th scope="col">Rows chosen</th><th scope="col" class="number">Rows</th><th scope="col" class="number">Data</th><th scope="col" class="number">Time</th></tr></thead>
<tbody>${report.tables.map(
    (table) => html`<tr><td>${table.table}</td><td>${table.selection}</td><td class="number">${table.rows.toLocaleString("en")}</td><td class="number">${readableBytes(table.bytes)}</td><td class="number">${formatDuration(table.durationMs)}</td></tr>`,
  )}</tbody></table>
<p>From ${report.source.url} (PostgreSQL ${report.source.serverVersion}), told apart from the target by ${report.source.identifiedBy}.</p>`;
}

function treatmentsOf(table: TableSummary): Html {
  return html`<details${table.columns.some(({ masked }) => masked) && html` open`}><summary>${table.table}</summary>
<table><thead><tr><th scope="col">Column</th><th scope="col">Type</th><th scope="col">Treatment</th></tr></thead>
<tbody>${table.columns.map(
    (column) => html`<tr><td>${column.column}</td><td><code>${column.type}</code></td><td>${column.masked ? html`<b>${column.treatment}</b>` : column.treatment}${column.follows !== undefined && html` (as ${column.follows})`}</td></tr>`,
  )}</tbody></table></details>`;
}

function probesOf(report: CopyReport): Html {
  return html`<table><thead><tr><th scope="col">Masked column</th><th scope="col" class="number">Originals</th></tr></thead>
<tbody>${report.probes.map(
    (probe) => html`<tr><td>${probe.column}</td><td class="number">${probe.originals.toLocaleString("en")}</td></tr>`,
  )}</tbody></table>
<p>Every one that is long enough to be recognised (eight bytes in several words, ten in one, seven digits), in every text of the copy,
JSON, arrays and bytes included: as it is written in production, in whatever ASCII case, long ones by their first 40 characters; numbers whatever
stands between their digits. What was cut, spelt otherwise or encoded (base64, percent signs) would not be recognised.</p>
${report.unprobed.length > 0 && html`<p>Not looked for, since their values stand anywhere by chance: ${report.unprobed.join(", ")}.</p>`}`;
}

function stagesOf(report: CopyReport): Html {
  return html`<table><thead><tr><th scope="col">Stage</th><th scope="col" class="number">Time</th></tr></thead>
<tbody>${report.stages.map(({ stage, durationMs }) => html`<tr><td>${stage}</td><td class="number">${formatDuration(durationMs)}</td></tr>`)}</tbody></table>`;
}
