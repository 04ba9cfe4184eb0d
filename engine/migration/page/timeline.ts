import { formatDuration } from "../../report/duration.ts";
import { html } from "../../report/html.ts";
import type { Html } from "../../report/html.ts";
import type { Expectations } from "../expectations.ts";
import type { MigrationSection } from "../report.ts";
import { summaryOf } from "../source/statement.ts";
import { timelineStyle } from "./timelineStyle.ts";
import { trafficLane } from "./trafficLane.ts";

type Bounds = Pick<Expectations["bounds"], "stallMs" | "lockHoldMs">;
type Lock = MigrationSection["locks"][number];

const mostStatements = 8;
const mostLocks = 8;
const ticks = 5;

/** Where a moment stands on the axis, in percent. */
export type Scale = (ms: number) => number;

/**
 * The migration under live traffic on one axis of time: a sentence that says what to see, its statements, the locks it held by
 * what they stop, and how slow requests were meanwhile, with the bound drawn in. Where there was no traffic, the migration alone.
 * Text and boxes, so that it is read as well on a phone; the page's own colours; no script.
 */
export function timeline(section: MigrationSection, bounds: Bounds): Html | undefined {
  const { traffic, refusal } = section;
  const run = traffic === undefined ? "alone" : "traffic";
  const statements = statementBars(section);
  if (statements.length === 0 && refusal === undefined) return undefined;
  const endMs = traffic?.migrationMs ?? Math.max(1, ...statements.map(({ startMs, durationMs }) => startMs + durationMs));
  const [fromMs, toMs] = [traffic?.slices[0]?.fromMs ?? 0, traffic?.slices.at(-1)?.toMs ?? endMs];
  const scale: Scale = (ms) => ((Math.min(Math.max(ms, fromMs), toMs) - fromMs) / Math.max(1, toMs - fromMs)) * 100;
  const locks = lockLanes(section, run);
  const sentence = glance(section, bounds);
  return html`${timelineStyle}<p class="glance is-${sentence.tone}">${sentence.text}</p>
<div class="timeline" role="img" aria-label="Time line of statements, locks${traffic !== undefined && " and traffic"}. ${sentence.text}" style="--from:${percent(scale(0))};--to:${percent(scale(endMs))}">
${legend(traffic !== undefined)}
${statementLanes(statements, scale)}
${refusal !== undefined && lane({ name: html`<b>${refusal.direction === "down" && "down "}:${refusal.line}</b> refused`, figure: "", tone: "failed", title: refusal.message }, html`<span class="note is-failed">${refusal.message}</span>`)}
${locks.length === 0 ? lane({ name: html`Locks`, figure: "" }, html`<span class="note">none that stops anybody on a table in use</span>`) : locks.slice(0, mostLocks).map((lock) => lockLane(lock, scale, bounds))}
${traffic !== undefined && trafficLane(traffic, scale, bounds.stallMs)}
${axis(fromMs, toMs, scale)}
</div>`;
}

/** Can it ship, in one sentence: who stood still, for how long, and what for. */
function glance(section: MigrationSection, { stallMs, lockHoldMs }: Bounds): { readonly text: string; readonly tone: "passed" | "failed" } {
  const { traffic, refusal } = section;
  if (refusal !== undefined) return { text: `The server refuses line ${refusal.line} of ${refusal.direction}: ${refusal.message}`, tone: "failed" };
  const drawn = traffic === undefined ? "alone" : "traffic";
  const longest = section.locks.filter(({ stops, direction, run }) => stops !== "nobody" && direction === "up" && run === drawn).toSorted((one, other) => other.heldMs - one.heldMs)[0];
  const held = longest === undefined ? undefined : `${longest.line === undefined ? "a statement" : `line ${longest.line}`} holds ${longest.mode} on ${shortName(longest.relation)} for ${formatDuration(longest.heldMs)}`;
  if (traffic !== undefined && traffic.worstStallMs > stallMs) {
    return { text: `Requests stood still for ${formatDuration(traffic.worstStallMs)} (bound ${formatDuration(stallMs)})${held === undefined ? "" : `: ${held}`}.`, tone: "failed" };
  }
  if (longest !== undefined && longest.heldMs > lockHoldMs) {
    return { text: `${(held ?? "").replace(/^./, (letter) => letter.toUpperCase())} (bound ${formatDuration(lockHoldMs)}): whoever comes meanwhile, ${longest.stops === "readers" ? "to read or write" : "to write"}, waits.`, tone: "failed" };
  }
  const broken = (traffic?.slices ?? []).reduce((sum, { failed }) => sum + failed, 0);
  if (broken > 0) return { text: `${broken} ${broken === 1 ? "request" : "requests"} of the running application broke: what it asks for is not there any more under its old name or kind.`, tone: "failed" };
  const waited = traffic === undefined ? "" : traffic.worstStallMs === 0 ? "No request was seen waiting for the migration" : `No request waited longer than ${formatDuration(traffic.worstStallMs)} for the migration (bound ${formatDuration(stallMs)})`;
  const locked = longest === undefined ? "no lock on a table in use stops anybody" : `no lock that stops others was held longer than ${formatDuration(longest.heldMs)} (bound ${formatDuration(lockHoldMs)})`;
  return { text: `${waited === "" ? locked.replace(/^./, (letter) => letter.toUpperCase()) : `${waited}; ${locked}`}.`, tone: "passed" };
}

interface Lane {
  readonly name: Html;
  /** Beside the name, aligned right. */
  readonly figure: string;
  readonly tone?: "failed" | undefined;
  /** The name in full. */
  readonly title?: string;
}

function lane({ name, figure, tone, title }: Lane, track: Html, kind = ""): Html {
  return html`<div class="lane ${kind}"><div class="label${tone === "failed" && " is-failed"}"${title !== undefined && html` title="${title}"`}><span>${name}</span><span class="figure">${figure}</span></div><div class="track">${track}</div></div>`;
}

interface StatementBar {
  readonly line: number;
  readonly sql: string;
  readonly startMs: number;
  readonly durationMs: number;
}

/** Under traffic, with the text that the same statement had in the main course. */
function statementBars({ traffic, statements }: MigrationSection): StatementBar[] {
  const alone = statements.filter(({ direction }) => direction === "up");
  if (traffic === undefined) return alone;
  return traffic.statements.map((statement) => ({ ...statement, sql: alone.find(({ line }) => line === statement.line)?.sql ?? "" }));
}

/** One lane for each statement; of many, the longest have their own and the others share one. */
function statementLanes(statements: readonly StatementBar[], scale: Scale): Html {
  const bySize = statements.toSorted((one, other) => other.durationMs - one.durationMs);
  const own = statements.length <= mostStatements ? statements : statements.filter((statement) => bySize.indexOf(statement) < mostStatements - 1);
  const others = statements.filter((statement) => !own.includes(statement));
  const shared = others.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return html`${own.map((statement) => lane({ name: html`<b>:${statement.line}</b> ${summaryOf(statement, 60)}`, figure: formatDuration(statement.durationMs), title: summaryOf(statement, 300) }, bar(statement, scale, "statement")))}${
    others.length > 0 && lane({ name: html`${others.length} shorter statements`, figure: formatDuration(shared) }, html`${others.map((statement) => bar(statement, scale, "statement"))}`)
  }`;
}

function bar({ startMs, durationMs }: { readonly startMs: number; readonly durationMs: number }, scale: Scale, kind: string, title?: string): Html {
  return html`<i class="${kind}" style="left:${percent(scale(startMs))};width:${percent(scale(startMs + durationMs) - scale(startMs))}"${title !== undefined && html` title="${title}"`}></i>`;
}

interface LockLane {
  readonly relation: string;
  readonly mode: string;
  readonly stops: Lock["stops"];
  readonly spans: readonly Lock[];
}

const rank = { readers: 0, writers: 1, nobody: 2 } as const;
const words = { readers: "stops readers and writers", writers: "stops writers", nobody: "stops nobody" } as const;

/** Locks of one run by table and mode, those that stop most first. */
function lockLanes({ locks }: MigrationSection, run: Lock["run"]): LockLane[] {
  const groups = Map.groupBy(locks.filter((lock) => lock.run === run && lock.direction === "up"), ({ relation, mode }) => `${relation}\0${mode}`);
  return [...groups.values()]
    .flatMap((spans): LockLane[] => (spans[0] === undefined ? [] : [{ relation: spans[0].relation, mode: spans[0].mode, stops: spans[0].stops, spans }]))
    .toSorted((one, other) => rank[one.stops] - rank[other.stops]);
}

function lockLane({ relation, mode, stops, spans }: LockLane, scale: Scale, { lockHoldMs }: Bounds): Html {
  const longestMs = Math.max(...spans.map(({ heldMs }) => heldMs));
  const tooLong = stops !== "nobody" && longestMs > lockHoldMs;
  const title = `${mode} on ${relation}, ${words[stops]}`;
  return lane(
    { name: html`${mode} <span class="soft">${shortName(relation)}</span>`, figure: formatDuration(longestMs), tone: tooLong ? "failed" : undefined, title },
    html`${spans.map((span) => bar({ startMs: span.fromMs, durationMs: span.heldMs }, scale, `lock stops-${stops}`, `${title}, ${formatDuration(span.heldMs)}`))}`,
  );
}

function legend(withTraffic: boolean): Html {
  const entry = (kind: string, text: string) => html`<li><i class="${kind}"></i>${text}</li>`;
  return html`<ul class="legend" aria-hidden="true">${entry("statement", "statement")}${entry("lock stops-readers", "lock that stops readers and writers")}${entry("lock stops-writers", "stops writers")}${entry("lock stops-nobody", "stops nobody")}${withTraffic && html`${entry("read", "slowest read")}${entry("write", "slowest write")}`}</ul>`;
}

function axis(fromMs: number, toMs: number, scale: Scale): Html {
  const step = niceStep((toMs - fromMs) / ticks);
  const moments: number[] = [];
  for (let tick = Math.ceil(fromMs / step) * step; tick <= toMs; tick += step) moments.push(tick);
  const side = (at: number) => (at < 5 ? "at-start" : at > 94 ? "at-end" : "");
  const shown = moments.map((tick) => html`<span class="${side(scale(tick))}${tick < 0 && " before"}" style="left:${percent(scale(tick))}">${tick === 0 ? "start" : `${tick < 0 ? "−" : ""}${formatDuration(Math.abs(tick))}`}</span>`);
  return html`<div class="lane axis" aria-hidden="true"><div class="label"></div><div class="track">${shown}</div></div>`;
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
export function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-9)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? 10 * power;
}

export function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}

function shortName(relation: string): string {
  return relation.replace(/^public\./, "");
}
