import { formatDuration } from "../../report/duration.ts";
import { html } from "../../report/html.ts";
import type { Html } from "../../report/html.ts";
import { renderPage } from "../../report/page.ts";
import type { PageContent, PageSection } from "../../report/page.ts";
import { describeTotals, standingOf, worstFirst } from "../../report/standing.ts";
import type { Expectations } from "../expectations.ts";
import type { MigrationReport, MigrationSection } from "../report.ts";
import { timeline } from "./timeline.ts";

type Bounds = Expectations["bounds"];

/** The page of a rehearsal: can it ship, why not, and the time line that shows it. */
export function renderMigrationPage(report: MigrationReport, bounds: Bounds): string {
  const content: PageContent = {
    title: "Migration rehearsal",
    stack: report.stack,
    workload: report.workload,
    verdict: report.verdict,
    headline: headlineOf(report),
    startedAt: report.startedAt,
    durationMs: report.durationMs,
    figures: figuresOf(report, bounds),
    checks: report.checks,
    sections: report.migrations.flatMap((section) => sectionsOf(section, bounds, report.migrations.length > 1)),
  };
  return renderPage(content);
}

/** The reason for the verdict in one sentence. */
export function headlineOf(report: MigrationReport): string {
  const names = report.migrations.map(({ name }) => name).join(", ") || "No migration";
  const worst = worstFirst(report.checks)[0];
  if (report.verdict === "passed") return `${names} can ship: ${describeTotals(report.checks)}, up and back ${report.rates.migrations.succeeded + report.rates.rollbacks.succeeded} times without a refusal.`;
  if (worst === undefined || !["failed", "errored"].includes(standingOf(worst))) return `${names} cannot ship: no check was seen to pass.`;
  const more = report.checks.filter((check) => ["failed", "errored"].includes(standingOf(check))).length - 1;
  return `${names} cannot ship: ${worst.title}: ${worst.evidence.split("\n", 1)[0] ?? ""}${more > 0 ? ` And ${more} more.` : ""}`;
}

function figuresOf(report: MigrationReport, { stallMs, lockHoldMs }: Bounds): PageContent["figures"] {
  const percent = ({ rate }: { readonly rate: number }) => `${Math.floor(rate * 100)}%`;
  const of = ({ succeeded, attempted }: { readonly succeeded: number; readonly attempted: number }) => `${succeeded} of ${attempted}`;
  const ups = report.migrations.flatMap(({ statements }) => statements.filter(({ direction }) => direction === "up"));
  const stops = report.migrations.flatMap(({ locks }) => locks.filter((lock) => lock.stops !== "nobody" && lock.direction === "up"));
  const stall = report.migrations.flatMap(({ traffic }) => (traffic === undefined ? [] : [traffic.worstStallMs]));
  const acknowledged = report.migrations.reduce((sum, { traffic }) => sum + (traffic?.journal.acknowledged ?? 0), 0);
  const lost = report.migrations.reduce((sum, { traffic }) => sum + (traffic?.journal.lost.length ?? 0), 0);
  return [
    { label: "Migrations", value: percent(report.rates.migrations), note: `${of(report.rates.migrations)}, must be 100%` },
    { label: "Rollbacks", value: percent(report.rates.rollbacks), note: `${of(report.rates.rollbacks)}, must be 100%` },
    { label: "Up", value: formatDuration(ups.reduce((sum, { durationMs }) => sum + durationMs, 0)), note: `${ups.length} statements` },
    { label: "Longest lock that stops others", value: formatDuration(Math.max(0, ...stops.map(({ heldMs }) => heldMs))), note: `bound ${formatDuration(lockHoldMs)}` },
    ...(stall.length === 0 ? [] : [{ label: "Longest wait of a request", value: formatDuration(Math.max(...stall)), note: `bound ${formatDuration(stallMs)}` }]),
    ...(acknowledged === 0 ? [] : [{ label: "Acknowledged writes lost", value: String(lost), note: `of ${acknowledged}` }]),
  ];
}

function sectionsOf(section: MigrationSection, bounds: Bounds, isNamed: boolean): PageSection[] {
  const name = isNamed ? `, ${section.name}` : "";
  const drawn = timeline(section, bounds.stallMs);
  return [
    ...(drawn === undefined ? [] : [{ title: `Under live traffic${name}`, body: html`${drawn}${trafficTable(section)}` }]),
    { title: `Statements${name}`, body: statementsTable(section) },
    { title: `Locks${name}`, body: locksTable(section) },
    ...(section.figures.length === 0 ? [] : [{ title: `Before and after${name}`, body: html`${section.figures.map(figureTable)}` }]),
    ...(section.growth === undefined ? [] : [{ title: `At production's size${name}`, body: growthTable(section.growth) }]),
    ...(section.schemaChanges.length === 0 ? [] : [{ title: `Changes of schema${name}`, body: html`<table><thead><tr><th scope="col">Change</th><th scope="col">Kind</th><th scope="col">Name</th></tr></thead><tbody>${section.schemaChanges.map(({ change, kind, name: object }) => html`<tr><td>${change === "missing" ? "removed" : change}</td><td>${kind}</td><td><code>${object}</code></td></tr>`)}</tbody></table>` }]),
  ];
}

function trafficTable({ traffic }: MigrationSection): Html {
  if (traffic === undefined) return html``;
  const row = (name: string, { requests, errors, p50Ms, p99Ms, worstMs }: typeof traffic.baseline) =>
    html`<tr><td>${name}</td><td class="number">${requests}</td><td class="number">${errors}</td><td class="number">${p50Ms.toFixed(1)} ms</td><td class="number">${p99Ms.toFixed(1)} ms</td><td class="number">${worstMs.toFixed(1)} ms</td></tr>`;
  return html`<table><thead><tr><th scope="col">Traffic</th><th scope="col" class="number">Requests</th><th scope="col" class="number">Errors</th><th scope="col" class="number">p50</th><th scope="col" class="number">p99</th><th scope="col" class="number">Worst</th></tr></thead><tbody>${row("Baseline", traffic.baseline)}${row("During", traffic.during)}</tbody></table>
<p>${traffic.journal.acknowledged} acknowledged writes on ${traffic.journal.verifiedKeys} keys read back, ${traffic.journal.lost.length} lost.</p>`;
}

function statementsTable({ statements, withoutTransaction }: MigrationSection): Html {
  return html`${withoutTransaction !== undefined && html`<p>Not in one transaction: ${withoutTransaction}.</p>`}<table><thead><tr><th scope="col">Where</th><th scope="col">Statement</th><th scope="col" class="number">Time</th><th scope="col" class="number">Rows</th><th scope="col" class="number">WAL</th><th scope="col">Seen</th></tr></thead><tbody>${statements.map(
    (statement) => html`<tr><td style="white-space:nowrap"><code>${statement.direction} :${statement.line}</code></td><td><code>${oneLine(statement.sql)}</code></td><td class="number" style="white-space:nowrap">${formatDuration(statement.durationMs)}</td><td class="number">${statement.rows ?? "–"}</td><td class="number" style="white-space:nowrap">${statement.walBytes === undefined ? "–" : bytes(statement.walBytes)}</td><td>${seen(statement)}</td></tr>`,
  )}</tbody></table>`;
}

function seen({ rewrites, indexRebuilds, scans }: MigrationSection["statements"][number]): string {
  return [...rewrites.map((table) => `rewrites ${table}`), ...indexRebuilds.map((index) => `rebuilds ${index}`), ...scans.map(({ relation, rows }) => `reads ${rows} rows of ${relation}`)].join("; ");
}

function locksTable({ locks, waits, lockResolutionMs }: MigrationSection): Html {
  const notable = locks.filter(({ stops }) => stops !== "nobody");
  const shown = notable.length > 0 ? notable : locks.slice(0, 20);
  return html`<table><thead><tr><th scope="col">Run</th><th scope="col">Table or index</th><th scope="col">Mode</th><th scope="col">Stops</th><th scope="col" class="number">Held</th><th scope="col" class="number">Line</th><th scope="col">Seen by</th></tr></thead><tbody>${shown.map(
    ({ run, direction, relation, mode, stops, heldMs, line, source }) => html`<tr><td>${direction}${run === "traffic" && ", under traffic"}</td><td><code>${relation}</code></td><td>${mode}</td><td>${stops}</td><td class="number">${formatDuration(heldMs)}</td><td class="number">${line ?? "–"}</td><td>${source}</td></tr>`,
  )}</tbody></table>
<p>${locks.length} locks, ${notable.length} of them stop others; ${waits.length} waits. The sampler looked every ${lockResolutionMs.toFixed(0)} ms: what was shorter it may not have seen; the trace, read inside the transaction, misses nothing.</p>`;
}

function figureTable({ title, rows }: MigrationSection["figures"][number]): Html {
  return html`<table><thead><tr><th scope="col">${title}</th><th scope="col" class="number">Before</th><th scope="col" class="number">After up</th><th scope="col" class="number">After down</th></tr></thead><tbody>${rows.map(
    ({ name, before, afterUp, afterDown }) => html`<tr><td>${name}</td><td class="number">${before}</td><td class="number">${before === afterUp ? afterUp : html`<b>${afterUp}</b>`}</td><td class="number">${afterDown}</td></tr>`,
  )}</tbody></table>`;
}

function growthTable({ targetRows, durations, duration, holds, hold }: NonNullable<MigrationSection["growth"]>): Html {
  const range = ({ lowMs, estimateMs, highMs }: typeof duration) => `${formatDuration(estimateMs)} (${formatDuration(lowMs)} to ${formatDuration(highMs)})`;
  return html`<table><thead><tr><th scope="col" class="number">Rows</th><th scope="col" class="number">Up</th><th scope="col" class="number">Longest lock that stops others</th></tr></thead><tbody>${durations.map(
    ({ rows, ms }, index) => html`<tr><td class="number">${rows}</td><td class="number">${formatDuration(ms)}</td><td class="number">${formatDuration(holds[index]?.ms ?? 0)}</td></tr>`,
  )}<tr><td class="number"><b>${targetRows}</b>, extrapolated</td><td class="number">${range(duration)}</td><td class="number">${range(hold)}</td></tr></tbody></table>`;
}

function oneLine(sql: string): string {
  const line = sql.replaceAll(/--[^\n]*/g, " ").replaceAll(/\s+/g, " ").trim();
  return line.length <= 160 ? line : `${line.slice(0, 159)}…`;
}

function bytes(value: number): string {
  if (value < 10_000) return `${Math.round(value)} B`;
  return value < 10_000_000 ? `${(value / 1_000).toFixed(0)} kB` : `${(value / 1_000_000).toFixed(0)} MB`;
}
