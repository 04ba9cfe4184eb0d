import { trusted } from "../../report/html.ts";
import type { Html } from "../../report/html.ts";

/** What the page's stylesheet does not have: the time line's lanes, and tables that become lists on a phone. */
export const timelineStyle: Html = trusted(`<style>
.glance { font-size: 1.05rem; font-weight: 600; padding-left: .8rem; border-left: 4px solid var(--tone); max-width: 75ch; overflow-wrap: anywhere; text-wrap: pretty; }
.timeline { font-size: .84rem; font-variant-numeric: tabular-nums; --rail: 1.05rem; }
.timeline .legend { display: flex; flex-wrap: wrap; gap: .15rem 1.1rem; color: var(--soft); margin: .25rem 0 .6rem; }
.timeline .legend li { display: flex; align-items: center; gap: .4rem; }
.timeline .legend i { position: static; display: block; width: .95rem; min-width: 0; height: .7rem; }
.timeline .lane { display: grid; grid-template-columns: minmax(11rem, 21rem) minmax(0, 1fr); gap: 0 1rem; align-items: stretch; }
.timeline .label { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 .6rem; align-content: center; padding: .14rem 0; color: var(--ink); line-height: 1.35; }
.timeline .label > span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.timeline .label b { font-family: var(--mono); font-weight: 600; color: var(--soft); margin-right: .25rem; }
.timeline .label .figure { text-align: right; color: var(--soft); }
.timeline .label.is-failed .figure, .timeline .note.is-failed { color: var(--failed); font-weight: 600; }
.timeline .label small { grid-column: 1 / -1; color: var(--soft); font-size: inherit; }
.timeline .soft { color: var(--soft); }
.timeline .track { position: relative; min-height: 1.45rem; background: linear-gradient(to right, transparent var(--from), var(--sunk) var(--from) var(--to), transparent var(--to)); }
.timeline .track > i { position: absolute; top: .18rem; height: var(--rail); }
.timeline i { min-width: 3px; border-radius: 2px; background: color-mix(in srgb, var(--ink) 72%, var(--sheet)); }
.timeline i.stops-readers { background: var(--failed); } .timeline i.stops-writers { background: var(--warning); } .timeline i.stops-nobody { background: color-mix(in srgb, var(--passed) 55%, transparent); }
.timeline i.read { background: var(--link); } .timeline i.write { background: var(--skipped); }
.timeline .note { position: relative; padding-left: .4rem; color: var(--passed); overflow-wrap: anywhere; }
.timeline .requests { margin-top: .6rem; }
.timeline .requests .label { align-content: start; }
.timeline .requests .track { height: 6.5rem; }
.timeline .requests svg { position: absolute; inset: 0; width: 100%; height: 100%; }
.timeline .read { fill: var(--link); } .timeline .write { fill: var(--skipped); } .timeline .fault { fill: var(--failed); }
.timeline .bound { position: absolute; left: 0; right: 0; border-top: 1.5px dashed var(--failed); }
.timeline .bound span { position: absolute; right: 0; bottom: .1rem; color: var(--failed); background: color-mix(in srgb, var(--sheet) 75%, transparent); padding: 0 .25rem; border-radius: 3px; }
.timeline .axis .track { border-top: 1px solid var(--line); background: none; min-height: 1.5rem; }
.timeline .axis span { position: absolute; top: .3rem; transform: translateX(-50%); color: var(--soft); white-space: nowrap; }
.timeline .axis span::before { content: ""; position: absolute; left: 50%; top: -.3rem; height: .25rem; border-left: 1px solid var(--soft); }
.timeline .axis span.at-start { transform: none; } .timeline .axis span.at-start::before { left: 0; }
.timeline .axis span.at-end { transform: translateX(-100%); } .timeline .axis span.at-end::before { left: 100%; }
@media (max-width: 40rem) {
  .timeline .lane { grid-template-columns: minmax(0, 1fr); } .timeline .label { padding: .35rem 0 .05rem; } .timeline .axis .label, .timeline .axis .before { display: none; }
  .stacked thead { display: none; }
  .stacked tr { display: grid; grid-template-columns: 1fr 1fr; gap: .15rem 1rem; padding: .6rem 0; border-bottom: 1px solid var(--line); }
  .stacked tbody tr:last-child { border-bottom: 0; }
  .stacked td, .stacked td.number { display: block; border: 0; padding: 0; text-align: left; white-space: normal; overflow-wrap: anywhere; }
  .stacked td.wide { grid-column: 1 / -1; } .stacked td:empty { display: none; }
  .stacked td:not(.wide)::before { content: attr(data-label) " "; color: var(--soft); }
}
</style>`);
