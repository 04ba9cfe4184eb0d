import { formatDuration } from "../report/duration.ts";
import { html, type Html } from "../report/html.ts";
import type { LoadFigures } from "./report.ts";

const widthPx = 900;
const labelPx = 70;
const lanePx = 120;
const gapPx = 34;

/** How a run went over time: latency above, requests a second below, failed ones in their colour. By when requests were due. */
export function loadChart({ slices, sliceMs }: LoadFigures, p99BoundMs: number | undefined): Html {
  const most = Math.max(1, p99BoundMs ?? 0, ...slices.map(({ p99Ms }) => p99Ms)) * 1.1;
  const rates = slices.map(({ requests }) => requests / (sliceMs / 1_000));
  const mostRate = Math.max(1, ...rates) * 1.1;
  const columnPx = (widthPx - labelPx) / Math.max(1, slices.length);
  const x = (place: number) => labelPx + place * columnPx;
  // On a root scale, so that small ones are seen beside large ones.
  const y = (ms: number) => lanePx - Math.sqrt(Math.min(ms, most) / most) * (lanePx - 14);
  const line = (value: (slice: LoadFigures["slices"][number]) => number) => slices.map((slice, place) => `${px(x(place + 0.5))},${px(y(value(slice)))}`).join(" ");
  const floor = lanePx * 2 + gapPx;
  const height = (rate: number) => (rate / mostRate) * (lanePx - 14);
  return html`<svg viewBox="0 0 ${widthPx} ${floor + 26}" role="img" aria-label="Latency and requests over time" style="width:100%;height:auto;font-size:12px" fill="currentColor">
<text x="0" y="12">Latency</text><text x="0" y="28" fill="var(--link)">p50</text><text x="0" y="43" fill="var(--warning)">p99</text>
${p99BoundMs !== undefined && html`<line x1="${labelPx}" x2="${widthPx}" y1="${px(y(p99BoundMs))}" y2="${px(y(p99BoundMs))}" stroke="var(--failed)" stroke-dasharray="4 3"></line><text x="${widthPx - 4}" y="${px(y(p99BoundMs) - 4)}" text-anchor="end" fill="var(--failed)">p99 bound ${formatDuration(p99BoundMs)}</text>`}
<polyline points="${line(({ p99Ms }) => p99Ms)}" fill="none" stroke="var(--warning)" stroke-width="2"></polyline>
<polyline points="${line(({ p50Ms }) => p50Ms)}" fill="none" stroke="var(--link)" stroke-width="2"></polyline>
<line x1="${labelPx}" x2="${widthPx}" y1="${lanePx}" y2="${lanePx}" stroke="var(--line)"></line>
<text x="0" y="${lanePx + gapPx + 12}">Requests</text><text x="0" y="${lanePx + gapPx + 28}" fill="var(--soft)">a second</text>
${slices.map((slice, place) => {
  const rate = rates[place] ?? 0;
  const failed = slice.failed / (sliceMs / 1_000);
  const title = html`<title>${formatDuration(slice.fromMs)}: ${Math.round(rate)} a second, p50 ${formatDuration(slice.p50Ms)}, p99 ${formatDuration(slice.p99Ms)}, longest ${formatDuration(slice.maxMs)}, ${slice.failed} failed</title>`;
  const column = (from: number, size: number, colour: string) =>
    html`<rect x="${px(x(place) + 0.5)}" y="${px(floor - height(from + size))}" width="${px(Math.max(1, columnPx - 1))}" height="${px(height(size))}" fill="${colour}">${title}</rect>`;
  return [column(0, rate - failed, "var(--passed)"), failed > 0 && column(rate - failed, failed, "var(--failed)")];
})}
<line x1="${labelPx}" x2="${widthPx}" y1="${floor}" y2="${floor}" stroke="var(--line)"></line>
<text x="${labelPx}" y="${floor + 17}" fill="var(--soft)">start</text><text x="${widthPx}" y="${floor + 17}" text-anchor="end" fill="var(--soft)">${formatDuration(slices.length * sliceMs)}</text>
</svg>`;
}

function px(value: number): string {
  return value.toFixed(1);
}
