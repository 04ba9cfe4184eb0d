import { formatDuration } from "../../report/duration.ts";
import { html } from "../../report/html.ts";
import type { Html } from "../../report/html.ts";
import type { MigrationSection } from "../report.ts";

type Traffic = NonNullable<MigrationSection["traffic"]>;

const widthUnits = 1_000;
const heightUnits = 100;

/**
 * Slowest request of each slice of time: reads, and writes beside them, on a root scale so that small ones are seen beside large
 * ones; what is beyond the bound, or broke, in the colour of a fault.
 */
export function trafficLane({ slices, worstStallMs }: Traffic, scale: (ms: number) => number, boundMs: number): Html {
  const slowestMs = Math.max(0, ...slices.flatMap(({ readMs, writeMs }) => [readMs, writeMs]));
  const broken = slices.reduce((sum, { failed }) => sum + failed, 0);
  const most = Math.max(boundMs * 1.15, slowestMs);
  const height = (ms: number) => Math.sqrt(ms / most) * heightUnits;
  const columns = slices.map((slice) => [column(slice, "read", scale, height, boundMs), column(slice, "write", scale, height, boundMs)]);
  return html`<div class="lane requests"><div class="label${(slowestMs > boundMs || broken > 0) && " is-failed"}"><span>Slowest request</span><span class="figure">${formatDuration(slowestMs)}</span>
<small>${worstStallMs > 0 ? `waited ${formatDuration(worstStallMs)} for a lock` : "none waited for a lock"}${broken > 0 && `; ${broken} broken`}</small></div>
<div class="track"><svg viewBox="0 0 ${widthUnits} ${heightUnits}" preserveAspectRatio="none" aria-hidden="true">${columns}</svg>
<span class="bound" style="bottom:${height(boundMs).toFixed(1)}%"><span>bound ${formatDuration(boundMs)}</span></span></div></div>`;
}

function column(slice: Traffic["slices"][number], kind: "read" | "write", scale: (ms: number) => number, height: (ms: number) => number, boundMs: number): Html {
  const ms = kind === "read" ? slice.readMs : slice.writeMs;
  if (ms === 0) return html``;
  const unit = widthUnits / 100;
  const width = ((scale(slice.toMs) - scale(slice.fromMs)) * unit) / 2;
  const x = scale(slice.fromMs) * unit + (kind === "read" ? 0 : width);
  const fault = slice.failed > 0 || ms > boundMs;
  return html`<rect class="${fault ? "fault" : kind}" x="${x.toFixed(1)}" y="${(heightUnits - height(ms)).toFixed(1)}" width="${Math.max(0.5, width * 0.85).toFixed(1)}" height="${height(ms).toFixed(1)}"><title>Slowest ${kind}: ${formatDuration(ms)}${slice.failed > 0 ? `, ${slice.failed} broken` : ""}</title></rect>`;
}
