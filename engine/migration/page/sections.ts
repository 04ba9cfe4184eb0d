import { formatDuration } from "../../report/duration.ts";
import { html } from "../../report/html.ts";
import type { Html } from "../../report/html.ts";
import type { PageSection } from "../../report/page.ts";
import type { MigrationSection } from "../report.ts";
import { summaryOf } from "../source/statement.ts";
import { stackedTable } from "./stackedTable.ts";

type Growth = NonNullable<MigrationSection["growth"]>;

/** What is behind the verdict, one table each, for one migration. */
export function sectionsOf(section: MigrationSection, isNamed: boolean): PageSection[] {
  const name = isNamed ? `, ${section.name}` : "";
  const { traffic, growth, figures, schemaChanges } = section;
  return [
    { title: `Statements${name}`, body: statementsTable(section) },
    { title: `Locks${name}`, body: locksTable(section) },
    ...(traffic === undefined ? [] : [{ title: `Traffic${name}`, body: trafficTable(traffic) }]),
    ...(figures.length === 0 ? [] : [{ title: `Before and after${name}`, body: html`${figures.map(figureTable)}` }]),
    ...(growth === undefined ? [] : [{ title: `At production's size${name}`, body: growthTable(growth) }]),
    ...(section.scale.length === 0 ? [] : [{ title: `On how many rows${name}`, body: scaleTable(section.scale) }]),
    ...(schemaChanges.length === 0 ? [] : [{ title: `Changes of schema${name}`, body: changesTable(schemaChanges) }]),
  ];
}

function statementsTable({ statements, withoutTransaction }: MigrationSection): Html {
  const table = stackedTable<MigrationSection["statements"][number]>(
    [
      { label: "Statement", isWide: true, cell: (statement) => html`<code>${summaryOf(statement, 160)}</code><br><small style="color:var(--soft);overflow-wrap:anywhere">${statement.file}:${statement.line}</small>` },
      { label: "Time", isNumber: true, cell: ({ durationMs }) => unbroken(formatDuration(durationMs)) },
      { label: "Rows", isNumber: true, cell: ({ rows }) => (rows === undefined ? "–" : count(rows)) },
      { label: "Blocks", isNumber: true, cell: ({ blocks }) => (blocks === undefined ? "–" : html`<span title="${count(blocks.read)} not in memory">${count(blocks.asked)}</span>`) },
      { label: "WAL", isNumber: true, cell: ({ walBytes }) => (walBytes === undefined ? "–" : unbroken(bytes(walBytes))) },
      { label: "Size", isNumber: true, cell: ({ sizeChangeBytes }) => (sizeChangeBytes === undefined ? "–" : unbroken(`${sizeChangeBytes > 0 ? "+" : ""}${bytes(sizeChangeBytes)}`)) },
      { label: "Seen", isWide: true, cell: seen },
    ],
    statements,
  );
  return html`${withoutTransaction !== undefined && html`<p>Not in one transaction: ${withoutTransaction.replaceAll("`", "")}.</p>`}${table}`;
}

function seen({ rewrites, indexRebuilds, scans }: MigrationSection["statements"][number]): Html {
  const words = [...rewrites.map((table) => `writes ${table} anew`), ...indexRebuilds.map((index) => `builds ${index} anew`), ...scans.map(({ relation, rows }) => `reads ${count(rows)} rows of ${relation}`)];
  return words.length === 0 ? html`` : html`${words.join("; ")}`;
}

const stops = { readers: "readers and writers", writers: "writers", nobody: "nobody" } as const;
const tone = { readers: "failed", writers: "warning", nobody: "soft" } as const;

function locksTable({ locks, waits, lockResolutionMs }: MigrationSection): Html {
  const notable = locks.filter((lock) => lock.stops !== "nobody");
  const shown = notable.length > 0 ? notable : locks.slice(0, 20);
  const table = stackedTable<(typeof locks)[number]>(
    [
      { label: "Table or index", isWide: true, cell: ({ relation }) => html`<code>${relation}</code>` },
      { label: "Mode", cell: ({ mode }) => mode },
      { label: "Stops", cell: (lock) => html`<span style="color:var(--${tone[lock.stops]})">${stops[lock.stops]}</span>` },
      { label: "Held", isNumber: true, cell: ({ heldMs }) => formatDuration(heldMs) },
      { label: "Others waited", isNumber: true, cell: ({ othersWaitedMs }) => (othersWaitedMs === 0 ? "–" : formatDuration(othersWaitedMs)) },
      { label: "Line", isNumber: true, cell: ({ line }) => line ?? "–" },
      { label: "Run", cell: ({ run, direction }) => `${direction}${run === "traffic" ? ", under traffic" : ""}` },
      { label: "Seen by", cell: ({ source }) => source },
    ],
    shown,
  );
  return html`${shown.length > 0 && table}
<p>${locks.length} locks, ${notable.length} of them stop others; ${waits.length} waits. The sampler looked every ${lockResolutionMs.toFixed(0)} ms: what was shorter it may not have seen; the trace, read inside the transaction, misses nothing.</p>`;
}

function trafficTable(traffic: NonNullable<MigrationSection["traffic"]>): Html {
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const table = stackedTable<{ readonly name: string } & typeof traffic.baseline>(
    [
      { label: "Traffic", isWide: true, cell: ({ name }) => name },
      { label: "Requests", isNumber: true, cell: ({ requests }) => count(requests) },
      { label: "Errors", isNumber: true, cell: ({ errors }) => errors },
      { label: "p50", isNumber: true, cell: ({ p50Ms }) => ms(p50Ms) },
      { label: "p99", isNumber: true, cell: ({ p99Ms }) => ms(p99Ms) },
      { label: "Worst", isNumber: true, cell: ({ worstMs }) => ms(worstMs) },
    ],
    [{ name: "Baseline, before", ...traffic.baseline }, { name: "During", ...traffic.during }],
  );
  const { acknowledged, verifiedKeys, lost } = traffic.journal;
  return html`${table}<p>${acknowledged === 0 ? "The workload declares no writes that can be read back, so none was looked for." : `${count(acknowledged)} acknowledged writes on ${count(verifiedKeys)} keys read back, ${lost.length} lost.`}</p>`;
}

function figureTable({ title, rows }: MigrationSection["figures"][number]): Html {
  return html`<table><thead><tr><th scope="col">${title}</th><th scope="col" class="number">Before</th><th scope="col" class="number">After up</th><th scope="col" class="number">After down</th></tr></thead><tbody>${rows.map(
    ({ name, before, afterUp, afterDown }) => html`<tr><td>${name}</td><td class="number">${before}</td><td class="number">${before === afterUp ? afterUp : html`<b>${afterUp}</b>`}</td><td class="number">${before === afterDown ? afterDown : html`<b>${afterDown}</b>`}</td></tr>`,
  )}</tbody></table>`;
}

function growthTable({ targetRows, durations, duration, holds, hold }: Growth): Html {
  const range = ({ lowMs, estimateMs, highMs }: Growth["duration"]) => `${formatDuration(estimateMs)} (${formatDuration(lowMs)} to ${formatDuration(highMs)})`;
  const rows = durations.map(({ rows: size, ms }, index) => ({ size: html`${count(size)}`, up: formatDuration(ms), held: formatDuration(holds[index]?.ms ?? 0) }));
  const table = stackedTable<(typeof rows)[number]>(
    [
      { label: "Rows", isWide: true, isNumber: true, cell: ({ size }) => size },
      { label: "Up", isNumber: true, cell: ({ up }) => up },
      { label: "Longest lock that stops others", isNumber: true, cell: ({ held }) => held },
    ],
    [...rows, { size: html`<b>${count(targetRows)}</b>, extrapolated`, up: range(duration), held: range(hold) }],
  );
  return html`${table}<p>The range takes each timing to be off by a quarter and by 10 ms; the further from what was measured, the wider.</p>`;
}

function scaleTable(scale: MigrationSection["scale"]): Html {
  return stackedTable<(typeof scale)[number]>(
    [
      { label: "What", isWide: true, cell: ({ scenarios }) => scenarios.join(", ") },
      { label: "Rows", isNumber: true, cell: ({ rows }) => count(rows) },
      { label: "Why", isWide: true, cell: ({ why }) => why },
    ],
    scale,
  );
}

function changesTable(changes: MigrationSection["schemaChanges"]): Html {
  return html`<table><thead><tr><th scope="col">Change</th><th scope="col">Kind</th><th scope="col">Name</th></tr></thead><tbody>${changes.map(
    ({ change, kind, name }) => html`<tr><td>${change === "missing" ? "removed" : change}</td><td>${kind}</td><td><code style="overflow-wrap:anywhere">${name}</code></td></tr>`,
  )}</tbody></table>`;
}

function unbroken(text: string): Html {
  return html`<span style="white-space:nowrap">${text}</span>`;
}

function count(value: number): string {
  return value.toLocaleString("en-GB");
}

function bytes(value: number): string {
  const size = Math.abs(value);
  if (size < 10_000) return `${Math.round(value)} B`;
  return size < 10_000_000 ? `${(value / 1_000).toFixed(0)} kB` : `${(value / 1_000_000).toFixed(0)} MB`;
}
