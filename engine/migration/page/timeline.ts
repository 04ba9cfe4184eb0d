import { html } from "../../report/html.ts";
import type { Html } from "../../report/html.ts";
import { formatDuration } from "../../report/duration.ts";
import type { MigrationSection } from "../report.ts";

const widthPx = 960;
const labelPx = 168;
const rowPx = 18;
const trafficPx = 84;
const mostLockRows = 14;

type Scale = (ms: number) => number;

/**
 * The migration under live traffic, on one axis of time: its statements, the locks it held on tables in use (by what they
 * stop), and how slow requests were meanwhile, with the bound drawn in. Drawn with the page's own colours; no script.
 *
 * @param stallBoundMs above this a wait is drawn as a fault
 */
export function timeline(section: MigrationSection, stallBoundMs: number): Html | undefined {
  const { traffic } = section;
  if (traffic === undefined) return undefined;
  const fromMs = traffic.slices[0]?.fromMs ?? 0;
  const toMs = traffic.slices.at(-1)?.toMs ?? traffic.migrationMs;
  const scale: Scale = (ms) => labelPx + ((Math.min(Math.max(ms, fromMs), toMs) - fromMs) / Math.max(1, toMs - fromMs)) * (widthPx - labelPx - 8);
  const locks = lockRows(section).slice(0, mostLockRows);
  const statementsTop = 22;
  const locksTop = statementsTop + rowPx + 14;
  const trafficTop = locksTop + Math.max(1, locks.length) * rowPx + 20;
  const bottom = trafficTop + trafficPx;
  return html`<svg viewBox="0 0 ${widthPx} ${bottom + 26}" role="img" aria-label="Time line of statements, locks and traffic" style="width:100%;min-width:38rem;height:auto;display:block;font-size:11px" fill="currentColor">
<rect x="${px(scale(0))}" y="14" width="${px(Math.max(1, scale(traffic.migrationMs) - scale(0)))}" height="${bottom - 14}" fill="var(--sunk)"></rect>
<text x="0" y="${statementsTop + 12}">Statements</text>
${traffic.statements.map(({ line, startMs, durationMs }, index) => bar({ scale, top: statementsTop, startMs, durationMs, colour: index % 2 === 0 ? "var(--link)" : "var(--skipped)", title: `Line ${line}: ${formatDuration(durationMs)}` }))}
${locks.length === 0 ? html`<text x="0" y="${locksTop + 12}">Locks</text><text x="${labelPx}" y="${locksTop + 12}" fill="var(--passed)">none that stops anybody</text>` : locks.map((lock, index) => lockRow(lock, scale, locksTop + index * rowPx, stallBoundMs))}
${trafficLane(traffic, scale, trafficTop, stallBoundMs)}
${axis(fromMs, toMs, scale, bottom)}
</svg>`;
}

interface LockRow {
  readonly relation: string;
  readonly mode: string;
  readonly stops: "nobody" | "writers" | "readers";
  readonly spans: readonly { readonly fromMs: number; readonly heldMs: number }[];
}

const rank = { readers: 0, writers: 1, nobody: 2 } as const;

/** Locks under traffic, by table and mode, those that stop most first. */
function lockRows({ locks }: MigrationSection): LockRow[] {
  const groups = Map.groupBy(locks.filter(({ run }) => run === "traffic"), ({ relation, mode }) => `${relation}\0${mode}`);
  return [...groups.values()]
    .flatMap((same): LockRow[] => (same[0] === undefined ? [] : [{ relation: same[0].relation, mode: same[0].mode, stops: same[0].stops, spans: same }]))
    .toSorted((one, other) => rank[one.stops] - rank[other.stops]);
}

function lockRow({ relation, mode, stops, spans }: LockRow, scale: Scale, top: number, boundMs: number): Html {
  const colour = { readers: "var(--failed)", writers: "var(--warning)", nobody: "var(--passed)" }[stops];
  const shown = relation.replace(/^public\./, "");
  const words = { readers: "stops readers and writers", writers: "stops writers", nobody: "stops no reader and no writer" }[stops];
  return html`<text x="0" y="${top + 12}"><title>${relation}</title>${shown.length > 26 ? `…${shown.slice(-25)}` : shown}</text>${spans.map(({ fromMs, heldMs }) =>
    bar({ scale, top, startMs: fromMs, durationMs: heldMs, colour, faint: heldMs <= boundMs, title: `${mode} on ${relation}, ${words}, ${formatDuration(heldMs)}` }),
  )}`;
}

interface Bar {
  readonly scale: Scale;
  readonly top: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly colour: string;
  readonly faint?: boolean;
  readonly title: string;
}

function bar({ scale, top, startMs, durationMs, colour, faint = false, title }: Bar): Html {
  const x = scale(startMs);
  return html`<rect x="${px(x)}" y="${top + 2}" width="${px(Math.max(2, scale(startMs + durationMs) - x))}" height="${rowPx - 5}" rx="2" fill="${colour}" fill-opacity="${faint ? "0.55" : "1"}"><title>${title}</title></rect>`;
}

/** Slowest request per slice of time: reads up, writes beside them, on a root scale so that small ones are seen beside large ones. */
function trafficLane({ slices, worstStallMs }: NonNullable<MigrationSection["traffic"]>, scale: Scale, top: number, boundMs: number): Html {
  const most = Math.max(boundMs * 1.1, ...slices.flatMap(({ readMs, writeMs }) => [readMs, writeMs]));
  const height = (ms: number) => Math.sqrt(ms / most) * trafficPx;
  const boundY = top + trafficPx - height(boundMs);
  const column = (slice: (typeof slices)[number], ms: number, side: 0 | 1, kind: string) => {
    const width = Math.max(1, (scale(slice.toMs) - scale(slice.fromMs)) / 2 - 0.5);
    const colour = slice.failed > 0 || ms > boundMs ? "var(--failed)" : side === 0 ? "var(--link)" : "var(--warning)";
    return ms === 0 ? html`` : html`<rect x="${px(scale(slice.fromMs) + side * (width + 0.5))}" y="${px(top + trafficPx - height(ms))}" width="${px(width)}" height="${px(height(ms))}" fill="${colour}"><title>Slowest ${kind}: ${formatDuration(ms)}${slice.failed > 0 ? `, ${slice.failed} broken` : ""}</title></rect>`;
  };
  return html`<text x="0" y="${top + 12}">Slowest request</text><text x="0" y="${top + 27}" fill="var(--link)">reads</text><text x="36" y="${top + 27}" fill="var(--warning)">writes</text>
<text x="0" y="${top + 44}" fill="var(--soft)">${worstStallMs > 0 ? `waited ${formatDuration(worstStallMs)} for a lock` : "none waited for a lock"}</text>
${slices.map((slice) => [column(slice, slice.readMs, 0, "read"), column(slice, slice.writeMs, 1, "write")])}
<line x1="${labelPx}" x2="${widthPx - 8}" y1="${px(boundY)}" y2="${px(boundY)}" stroke="var(--failed)" stroke-dasharray="4 3"></line><text x="${widthPx - 10}" y="${px(boundY - 3)}" text-anchor="end" fill="var(--failed)">bound ${formatDuration(boundMs)}</text>`;
}

function axis(fromMs: number, toMs: number, scale: Scale, y: number): Html {
  const step = niceStep((toMs - fromMs) / 8);
  const ticks: number[] = [];
  for (let tick = Math.ceil(fromMs / step) * step; tick <= toMs; tick += step) ticks.push(tick);
  return html`<line x1="${labelPx}" x2="${widthPx - 8}" y1="${y}" y2="${y}" stroke="var(--line)"></line>${ticks.map(
    (tick) => html`<line x1="${px(scale(tick))}" x2="${px(scale(tick))}" y1="${y}" y2="${y + 4}" stroke="var(--soft)"></line><text x="${px(scale(tick))}" y="${y + 17}" text-anchor="middle" fill="var(--soft)">${tick === 0 ? "start" : `${tick < 0 ? "−" : ""}${formatDuration(Math.abs(tick))}`}</text>`,
  )}`;
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-9)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? 10 * power;
}

function px(value: number): string {
  return value.toFixed(1);
}
