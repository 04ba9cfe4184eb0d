import { trusted, type Html } from "./html.ts";

/** The pages' whole look: light and dark by the reader's preference, one column on a phone, plain ink on paper. */
export const stylesheet: Html = trusted(`
:root {
  color-scheme: light dark;
  --page: #f6f6f4; --sheet: #ffffff; --sunk: #f1f1ee; --line: #e2e2dd; --ink: #17181a; --soft: #5b5e63;
  --passed: #137a46; --failed: #c0262d; --errored: #8a3ab9; --warning: #9a5b00; --skipped: #6b6e73; --link: #1558b8;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "Roboto Mono", Menlo, Consolas, "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101113; --sheet: #191b1e; --sunk: #22252a; --line: #2f3338; --ink: #eceded; --soft: #a2a6ad;
    --passed: #4fc586; --failed: #ff7b7b; --errored: #c99bf0; --warning: #eeb04b; --skipped: #9a9ea5; --link: #86b5ff;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif; }
main, .masthead > div, footer { max-width: 70rem; margin: 0 auto; padding: 0 1.5rem; }
h1, h2, h3, p, dl, dd, ul { margin: 0; }
ul { padding: 0; list-style: none; }
a { color: var(--link); text-underline-offset: .15em; }
code, pre, .id { font-family: var(--mono); font-size: .86em; }
code { background: var(--sunk); border-radius: 4px; padding: .12em .35em; }
.remedy code { background: var(--sheet); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.icon { width: 1.15em; height: 1.15em; flex: none; vertical-align: -.22em; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.is-passed { --tone: var(--passed); } .is-failed { --tone: var(--failed); } .is-errored { --tone: var(--errored); }
.is-warning { --tone: var(--warning); } .is-skipped { --tone: var(--skipped); }

.masthead { background: var(--sheet); border-top: 6px solid var(--tone); border-bottom: 1px solid var(--line); }
.masthead > div { padding-top: 1.75rem; padding-bottom: 1.75rem; }
.kicker { color: var(--soft); font-size: .9rem; display: flex; flex-wrap: wrap; gap: .1rem 1.25rem; margin: 0 0 .9rem; }
.kicker b { color: var(--ink); font-weight: 600; }
.verdict { display: flex; align-items: center; gap: .9rem; }
.verdict .seal { display: grid; place-items: center; width: 3.1rem; height: 3.1rem; border-radius: 50%; color: var(--tone); background: color-mix(in srgb, var(--tone) 13%, transparent); flex: none; }
.verdict .seal .icon { width: 1.7rem; height: 1.7rem; stroke-width: 2.4; }
h1 { font-size: clamp(1.45rem, 1.1rem + 1.6vw, 2.1rem); line-height: 1.15; letter-spacing: -.015em; text-wrap: balance; }
h1 em { font-style: normal; color: var(--tone); }
.headline { margin-top: .85rem; font-size: 1.08rem; max-width: 62ch; overflow-wrap: anywhere; }

main { padding-top: 1.75rem; }
main > section { margin-bottom: 2.5rem; }
h2 { font-size: 1.2rem; letter-spacing: -.01em; margin-bottom: .85rem; display: flex; align-items: baseline; gap: .6rem; flex-wrap: wrap; }
h2 small { font-weight: 400; font-size: .9rem; color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: .75rem; }
.tile { display: grid; grid-row: span 3; grid-template-rows: subgrid; row-gap: 0; align-content: start; background: var(--sheet); border: 1px solid var(--line); border-radius: 10px; padding: .85rem 1rem .9rem; }
.tile dt { color: var(--soft); font-size: .85rem; }
.tile dd { font-size: 1.5rem; font-weight: 600; letter-spacing: -.02em; line-height: 1.25; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.tile dd.note { font-size: .85rem; font-weight: 400; letter-spacing: 0; color: var(--soft); line-height: 1.4; margin-top: .15rem; }

.card { background: var(--sheet); border: 1px solid var(--line); border-left: 4px solid var(--tone); border-radius: 8px; padding: 1rem 1.15rem 1.1rem; margin-bottom: .75rem; scroll-margin-top: 1rem; }
.card header { display: flex; align-items: baseline; gap: .3rem .75rem; flex-wrap: wrap; }
.card h3 { font-size: 1.02rem; line-height: 1.35; flex: 1 1 auto; overflow-wrap: anywhere; }
.badge { display: inline-flex; align-items: center; gap: .35em; font-size: .8rem; font-weight: 600; color: var(--tone); white-space: nowrap; }
.id { color: var(--soft); overflow-wrap: anywhere; }
.evidence { margin-top: .45rem; white-space: pre-wrap; overflow-wrap: anywhere; max-width: 85ch; }
.remedy { margin-top: .7rem; padding: .55rem .8rem; background: var(--sunk); border-radius: 6px; overflow-wrap: anywhere; max-width: 85ch; }
.remedy b { font-weight: 600; }

.filter { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; margin-bottom: .85rem; }
.filter[hidden] { display: none; }
.filter input[type=search] { flex: 1 1 14rem; min-width: 0; max-width: 24rem; font: inherit; color: inherit; background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; padding: .42rem .75rem; }
.filter label.toggle { display: inline-flex; align-items: center; gap: .4em; border: 1px solid var(--line); background: var(--sheet); border-radius: 99px; padding: .3rem .8rem; font-size: .9rem; cursor: pointer; user-select: none; color: var(--soft); }
.filter label.toggle:has(:checked) { color: var(--tone); border-color: currentColor; font-weight: 600; }
.filter label.toggle:has(:focus-visible) { outline: 2px solid var(--link); outline-offset: 2px; }
.filter output { color: var(--soft); font-size: .9rem; }

.categories { background: var(--sheet); border: 1px solid var(--line); border-radius: 10px; overflow: clip; }
.category + .category { border-top: 1px solid var(--line); }
.category > summary { display: grid; grid-template-columns: 1.1rem minmax(7rem, 12rem) minmax(4rem, 1fr) 19rem; align-items: center; gap: .2rem .9rem; padding: .7rem 1.15rem; cursor: pointer; list-style: none; }
.category > summary::-webkit-details-marker { display: none; }
.category > summary:hover { background: var(--sunk); }
.category > summary:focus-visible { outline-offset: -2px; }
.chevron { transition: transform .15s; color: var(--soft); }
[open] > summary > .chevron { transform: rotate(90deg); }
.category h3 { font-size: 1rem; font-weight: 600; text-transform: none; overflow-wrap: anywhere; }
.category h3::first-letter { text-transform: uppercase; }
.counts { color: var(--soft); font-size: .9rem; text-align: right; font-variant-numeric: tabular-nums; }
.bar { display: flex; gap: 2px; height: .5rem; }
.bar i { background: var(--tone); border-radius: 2px; min-width: 4px; }
.rows { border-top: 1px solid var(--line); padding: .25rem 0; }
.row { display: grid; grid-template-columns: 1.1rem minmax(0, 1fr) auto; gap: .1rem .9rem; padding: .5rem 1.15rem; align-items: baseline; }
.row > .icon { color: var(--tone); align-self: start; margin-top: .2em; }
.row .name { overflow-wrap: anywhere; }
.row .name .id { margin-left: .5rem; font-size: .8em; }
.row .seen { grid-column: 2; color: var(--soft); font-size: .92rem; overflow-wrap: anywhere; white-space: pre-wrap; }
.row .took { color: var(--soft); font-size: .85rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.row[hidden], .calm[hidden], .category[hidden] { display: none; }
.calm > summary { display: flex; align-items: center; gap: .9rem; padding: .45rem 1.15rem; color: var(--soft); font-size: .92rem; cursor: pointer; list-style: none; }
.calm > summary::-webkit-details-marker { display: none; }
.calm > summary:hover { background: var(--sunk); }

.panel { background: var(--sheet); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.15rem; overflow-x: auto; }
.panel > * + * { margin-top: .75rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .9rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child > * { border-bottom: 0; }
th[scope=row] { width: 1%; white-space: nowrap; padding-right: 2rem; }
th { font-weight: 600; font-size: .85rem; color: var(--soft); }
td.number, th.number { text-align: right; }
th:last-child, td:last-child { padding-right: 0; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.details { margin-top: .7rem; font-size: .92rem; }
.details > summary { cursor: pointer; color: var(--link); width: fit-content; }
.details dl { display: grid; grid-template-columns: fit-content(14rem) minmax(0, 1fr); gap: .3rem 1rem; margin-top: .5rem; overflow-x: auto; }
.details dt { color: var(--soft); }
footer { color: var(--soft); font-size: .88rem; padding-top: .5rem; padding-bottom: 2.5rem; }

@media (max-width: 40rem) {
  main, .masthead > div, footer { padding-left: 1rem; padding-right: 1rem; }
  .masthead > div { padding-top: 1.25rem; padding-bottom: 1.25rem; }
  .verdict .seal { width: 2.5rem; height: 2.5rem; } .verdict .seal .icon { width: 1.4rem; height: 1.4rem; }
  .tiles { grid-template-columns: 1fr 1fr; gap: .5rem; } .tile { padding: .65rem .8rem .7rem; } .tile dd { font-size: 1.25rem; }
  .category > summary { grid-template-columns: 1.1rem minmax(0, 1fr); gap: .35rem .9rem; } .bar, .counts { grid-column: 2; } .counts { text-align: left; line-height: 1.3; }
  th[scope=row] { width: auto; white-space: normal; padding-right: 1rem; }
  .filter input[type=search] { max-width: none; flex-basis: 100%; }
  .row .name .id { display: block; margin-left: 0; }
  .details dl { grid-template-columns: 1fr; gap: 0 0; } .details dd { margin-bottom: .4rem; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
@media print {
  :root { --page: #fff; --sheet: #fff; --sunk: #f4f4f4; --line: #ccc; --ink: #000; --soft: #444; --passed: #137a46; --failed: #b3131b; --errored: #6b2398; --warning: #7d4a00; --skipped: #555; --link: #000; }
  body { font-size: 10.5pt; } .filter { display: none; } .chevron { visibility: hidden; }
  .bar i, .verdict .seal, .masthead { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .card, .tile, .row { break-inside: avoid; } h2 { break-after: avoid; }
  .category::details-content, .calm::details-content { content-visibility: visible; display: block; block-size: auto; }
}
`);
