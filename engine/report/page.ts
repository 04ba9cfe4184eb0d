import type { CheckResult } from "./check.ts";
import { renderDetails } from "./details.ts";
import { formatDuration } from "./duration.ts";
import { filterScript } from "./filterScript.ts";
import { html, type Html } from "./html.ts";
import { icon, iconSheet } from "./icons.ts";
import { byCategory, describeTotals, standingLabel, standingOf, standings, worstFirst, type Standing } from "./standing.ts";
import { stylesheet } from "./stylesheet.ts";

export interface Figure {
  readonly label: string;
  /** With its unit, ready to read: `1.24 s`, `42 of 42`. */
  readonly value: string;
  /** What to hold it against: `bound 3 s`. */
  readonly note?: string;
}

export interface PageSection {
  readonly title: string;
  /** Tables need no class; `td class="number"` aligns right. Drawings: inline SVG with `currentColor` and the page's variables. */
  readonly body: Html;
}

export interface PageContent {
  /** What ran: `Staging validation`. */
  readonly title: string;
  readonly stack: string;
  readonly workload: string;
  readonly verdict: "passed" | "failed";
  /** The reason for the verdict, one sentence. */
  readonly headline: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly figures: readonly Figure[];
  /** What shows the verdict at a glance: stands before the checks. Default none. */
  readonly lead?: readonly PageSection[];
  readonly checks: readonly CheckResult[];
  readonly sections: readonly PageSection[];
}

/** Nothing but what is in the page itself may be loaded or contacted. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/**
 * One self-contained HTML page: the verdict and its reason first, then figures and what shows it at a glance, what failed with
 * evidence and remedy, every check by category, and the sections of the report's own kind. Makes no request, works without scripts.
 */
export function renderPage(content: PageContent): string {
  const attention = worstFirst(content.checks).filter(needsAttention);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${content.verdict === "passed" ? "Passed" : "Failed"}: ${content.title}, ${content.stack}</title>
<style>${stylesheet}</style>
</head>
<body>
${iconSheet}
${renderMasthead(content)}
<main>
${content.figures.length > 0 && renderFigures(content.figures)}
${(content.lead ?? []).map(renderSection)}
${attention.length > 0 && renderAttention(attention)}
${content.checks.length > 0 && renderChecks(content.checks)}
${content.sections.map(renderSection)}
</main>
<footer>Understudy, ${content.title.toLowerCase()} of stack ${content.stack}. The same in JSON lies beside this file.</footer>
<script>${filterScript}</script>
</body>
</html>
`.text;
}

function renderSection({ title, body }: PageSection): Html {
  return html`<section><h2>${title}</h2><div class="panel">${body}</div></section>`;
}

function renderMasthead(content: PageContent): Html {
  const { verdict } = content;
  return html`<header class="masthead is-${verdict}"><div>
<p class="kicker"><span>Stack <b>${content.stack}</b></span><span>Workload <b>${content.workload}</b></span><span><time datetime="${content.startedAt}">${readableTime(content.startedAt)}</time></span><span>took <b>${formatDuration(content.durationMs)}</b></span></p>
<div class="verdict"><span class="seal">${icon(verdict)}</span><h1>${content.title} <em>${verdict}</em></h1></div>
<p class="headline">${prose(content.headline)}</p>
</div></header>`;
}

function readableTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

function renderFigures(figures: readonly Figure[]): Html {
  return html`<section aria-label="Figures"><dl class="tiles">${figures.map(
    ({ label, value, note }) =>
      html`<div class="tile"><dt>${label}</dt><dd>${value}</dd>${note !== undefined && html`<dd class="note">${note}</dd>`}</div>`,
  )}</dl></section>`;
}

function renderAttention(checks: readonly CheckResult[]): Html {
  const blocking = checks.some((check) => standingOf(check) !== "warning");
  return html`<section aria-labelledby="attention"><h2 id="attention">${blocking ? "What to fix" : "Worth a look"} <small>${describeTotals(checks)}</small></h2>
${checks.map(renderCard)}</section>`;
}

function renderCard(check: CheckResult): Html {
  const standing = standingOf(check);
  return html`<article class="card is-${standing}" id="check-${check.id}">
<header><span class="badge">${icon(standing)}${standingLabel[standing]}</span><h3>${check.title}</h3><span class="id">${check.id}</span></header>
<p class="evidence">${prose(check.evidence)}</p>
${check.remedy !== undefined && html`<p class="remedy"><b>What to do:</b> ${prose(check.remedy)}</p>`}
${renderDetails(check.details)}
</article>`;
}

function renderChecks(checks: readonly CheckResult[]): Html {
  return html`<section aria-labelledby="checks"><h2 id="checks">All checks <small>${describeTotals(checks)}</small></h2>
${renderFilter(checks)}
<div class="categories">${[...byCategory(checks)].map(([category, members]) => renderCategory(category, members))}</div></section>`;
}

function renderFilter(checks: readonly CheckResult[]): Html {
  const present = standings.filter((standing) => checks.some((check) => standingOf(check) === standing));
  return html`<form class="filter" role="search" hidden>
<label class="visually-hidden" for="filter-text">Filter checks</label><input id="filter-text" type="search" placeholder="Filter checks" autocomplete="off">
${present.length > 1 && present.map((standing) => html`<label class="toggle is-${standing}"><input class="visually-hidden" type="checkbox" value="${standing}">${icon(standing)}${standingLabel[standing]}</label>`)}
<output aria-live="polite"></output></form>`;
}

/** Closed when everything in it passed; what passed beside something that did not is folded away once more. */
function renderCategory(category: string, members: readonly CheckResult[]): Html {
  const sorted = worstFirst(members);
  const open = sorted.filter(needsAttention);
  const calm = sorted.filter((check) => !needsAttention(check));
  return html`<details class="category"${open.length > 0 && html` open`}>
<summary>${icon("chevron", "chevron")}<h3>${category}</h3>${renderBar(members)}<span class="counts">${describeTotals(members)}</span></summary>
<div class="rows">${
    open.length === 0
      ? html`<ul>${calm.map(renderRow)}</ul>`
      : html`<ul>${open.map(renderRow)}</ul>${calm.length > 0 && html`<details class="calm"><summary>${icon("chevron", "chevron")}${describeTotals(calm)}</summary><ul>${calm.map(renderRow)}</ul></details>`}`
  }</div>
</details>`;
}

function needsAttention(check: CheckResult): boolean {
  return !["passed", "skipped"].includes(standingOf(check));
}

function renderBar(members: readonly CheckResult[]): Html {
  const shares = standings.toReversed().map((standing): [Standing, number] => [
    standing,
    members.filter((check) => standingOf(check) === standing).length,
  ]);
  return html`<span class="bar" aria-hidden="true">${shares.map(
    ([standing, count]) => count > 0 && html`<i class="is-${standing}" style="flex:${count}"></i>`,
  )}</span>`;
}

/** Text in which what stands between backticks is code. */
function prose(text: string): Html[] {
  const parts = text.split("`");
  if (parts.length % 2 === 0) return [html`${text}`];
  return parts.map((part, index) => (index % 2 === 1 && part !== "" ? html`<code>${part}</code>` : html`${part}`));
}

function renderRow(check: CheckResult): Html {
  const standing = standingOf(check);
  const inFull = !needsAttention(check);
  return html`<li class="row is-${standing}" data-standing="${standing}">${icon(standing)}
<span class="name"><span class="visually-hidden">${standingLabel[standing]}: </span>${inFull ? check.title : html`<a href="#check-${check.id}">${check.title}</a>`} <span class="id">${check.id}</span></span>
<span class="took">${formatDuration(check.durationMs)}</span>
${inFull && html`<div class="seen">${prose(check.evidence)}${standing === "skipped" && check.remedy !== undefined && html`\n${prose(check.remedy)}`}${renderDetails(check.details)}</div>`}</li>`;
}
