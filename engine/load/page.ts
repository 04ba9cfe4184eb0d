import { html, type Html } from "../report/html.ts";
import { renderPage, type Figure, type PageSection } from "../report/page.ts";
import { describeTotals, standingOf, worstFirst } from "../report/standing.ts";
import { loadChart } from "./chart.ts";
import type { Profile } from "./plan.ts";
import type { LoadFigures, LoadReport } from "./report.ts";

/** The page of a run: did it keep its targets, which request did not, and how it went over time. */
export function renderLoadPage(report: LoadReport, profile: Profile | undefined): string {
  return renderPage({
    ...report,
    title: report.load === undefined ? "Smoke tests" : "Load test",
    headline: headlineOf(report),
    figures: report.load === undefined ? [{ label: "Journeys", value: `${report.checks.filter(({ status }) => status === "passed").length} of ${report.checks.length}`, note: "made once each" }] : figuresOf(report.load, profile),
    sections: report.load === undefined ? [] : sectionsOf(report.load, profile),
  });
}

/** The reason for the verdict in one sentence. */
export function headlineOf({ checks, profile, load }: LoadReport): string {
  const blocking = worstFirst(checks).filter((check) => ["failed", "errored"].includes(standingOf(check)));
  const [first, ...others] = [...blocking.filter(({ category }) => category === "requests"), ...blocking.filter(({ category }) => category !== "requests")];
  if (first === undefined) {
    if (load === undefined) return `All ${checks.length} journeys were as they should be.`;
    return `Profile ${profile}: ${load.all.requests} requests, ${load.perSecond} a second, and every target met.`;
  }
  const more = others.length === 0 ? "" : ` And ${others.length} more.`;
  return `${describeTotals(blocking)}. First: ${first.title}: ${(first.evidence.split("\n")[0] ?? "").replace(/\.?$/, ".")}${more}`;
}

function figuresOf({ all, asked, perSecond, seconds }: LoadFigures, profile: Profile | undefined): Figure[] {
  const targets = profile?.targets;
  const bound = (value: number | undefined) => (value === undefined ? {} : { note: `bound ${value} ms` });
  return [
    { label: "Requests", value: String(all.requests), note: `of ${asked}, in ${seconds} s` },
    { label: "A second", value: String(perSecond), note: "answered as expected" },
    { label: "Failed", value: String(all.failed), ...(targets === undefined ? {} : { note: `bound ${targets.errorRate * 100} %` }) },
    { label: "p50", value: `${all.latency.p50Ms} ms`, ...bound(targets?.p50Ms) },
    { label: "p95", value: `${all.latency.p95Ms} ms`, ...bound(targets?.p95Ms) },
    { label: "p99", value: `${all.latency.p99Ms} ms`, ...bound(targets?.p99Ms) },
    { label: "Longest", value: `${all.latency.maxMs} ms`, ...bound(targets?.maxMs) },
  ];
}

function sectionsOf(load: LoadFigures, profile: Profile | undefined): PageSection[] {
  const problems = load.requests.flatMap(({ name, problems }) => problems.map((each) => ({ name, ...each })));
  return [
    { title: "Over time", body: html`${loadChart(load, profile?.targets.p99Ms)}<p>Latency counts from when a request was due, so that a stall shows in every request that it kept waiting.</p>` },
    { title: "Requests", body: requestsTable(load) },
    ...(problems.length === 0
      ? []
      : [
          {
            title: "What failed",
            body: html`<table><thead><tr><th scope="col">Request</th><th scope="col">What was wrong</th><th scope="col" class="number">Times</th></tr></thead><tbody>${problems.map(({ name, problem, times }) => html`<tr><td>${name}</td><td>${problem}</td><td class="number">${times}</td></tr>`)}</tbody></table>`,
          },
        ]),
  ];
}

function requestsTable({ all, requests }: LoadFigures): Html {
  const columns = ["Requests", "Failed", "p50 ms", "p90 ms", "p95 ms", "p99 ms", "p99.9 ms", "Longest ms", "p99 ms once sent"];
  const row = (name: string, request: string, { requests: count, failed, latency, service }: LoadFigures["all"]) =>
    html`<tr><th scope="row">${name}</th><td>${request !== "" && html`<code>${request}</code>`}</td>${[count, failed, latency.p50Ms, latency.p90Ms, latency.p95Ms, latency.p99Ms, latency.p999Ms, latency.maxMs, service.p99Ms].map((value) => html`<td class="number">${value}</td>`)}</tr>`;
  const slowestFirst = requests.toSorted((left, right) => right.latency.p99Ms - left.latency.p99Ms);
  return html`<table><thead><tr><th scope="col">Name</th><th scope="col">Request</th>${columns.map((column) => html`<th scope="col" class="number">${column}</th>`)}</tr></thead>
<tbody>${slowestFirst.map((each) => row(each.name, each.request, each))}${row("all", "", all)}</tbody></table>`;
}
