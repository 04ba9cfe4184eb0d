import { z } from "zod";
import { at } from "./jsonExpectation.ts";
import { isGreen, totalsOf, type CheckResult } from "../report/check.ts";
import { html, type Html } from "../report/html.ts";
import { renderPage, type Figure } from "../report/page.ts";
import { reportBase } from "../report/report.ts";
import { describeTotals, standingOf } from "../report/standing.ts";
import type { ValidationTarget } from "./target.ts";

/** `staging-validation-report-*.json`. */
export const validationReport = reportBase.extend({
  schema: z.literal("understudy/validation-report"),
  version: z.literal(1),
  platform: z.enum(["process", "docker", "kubernetes"]),
  /** Whether only the essential subset was asked for. */
  quick: z.boolean(),
  /** What was asked for by name, and what was left out by name. */
  only: z.array(z.string()),
  skip: z.array(z.string()),
  urls: z.object({ https: z.string(), http: z.string(), app: z.string(), prometheus: z.string().optional(), grafana: z.string().optional() }),
});
export type ValidationReport = z.infer<typeof validationReport>;

export interface RunFacts {
  readonly target: ValidationTarget;
  readonly workload: string;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly quick: boolean;
  readonly only: readonly string[];
  readonly skip: readonly string[];
}

export function buildReport(checks: readonly CheckResult[], facts: RunFacts): ValidationReport {
  const { target } = facts;
  return {
    schema: "understudy/validation-report",
    version: 1,
    stack: target.stack,
    workload: facts.workload,
    startedAt: facts.startedAt.toISOString(),
    durationMs: Math.round(facts.durationMs),
    verdict: isGreen(checks) ? "passed" : "failed",
    platform: target.platform,
    quick: facts.quick,
    only: [...facts.only],
    skip: [...facts.skip],
    urls: {
      https: target.httpsUrl,
      http: target.httpUrl,
      app: target.appUrl,
      ...(target.prometheusUrl === undefined ? {} : { prometheus: target.prometheusUrl }),
      ...(target.grafanaUrl === undefined ? {} : { grafana: target.grafanaUrl }),
    },
    checks: [...checks],
  };
}

/** The reason for the verdict in one sentence. */
export function headlineOf({ checks, quick, only }: ValidationReport): string {
  const scope = only.length > 0 ? ` Only ${only.join(", ")} was asked for.` : quick ? " Only the essential checks were asked for." : "";
  const totals = totalsOf(checks);
  const blocking = checks.filter((check) => ["failed", "errored"].includes(standingOf(check)));
  if (blocking.length === 0) {
    const ran = totals.passed + totals.warnings;
    const rest = [
      ...(totals.warnings > 0 ? [`${totals.warnings} warned`] : []),
      ...(totals.skipped > 0 ? [`${totals.skipped} did not apply or ${totals.skipped === 1 ? "was" : "were"} left out`] : []),
    ];
    if (ran === 0) return `No check ran, so nothing was proved.${scope}`;
    return `${ran === 1 ? "The one check" : `All ${ran} checks`} that ran held${rest.length > 0 ? `; ${rest.join(", ")}` : ""}.${scope}`;
  }
  const [first, ...others] = blocking.filter((check) => standingOf(check) === "failed").concat(blocking.filter((check) => standingOf(check) === "errored"));
  const more = others.length === 0 ? "" : ` And ${others.length} more.`;
  const reason = first === undefined ? "" : `${first.title}: ${first.evidence.split("\n")[0]}`;
  return `${describeTotals(blocking)}. First: ${reason.replace(/\.?$/, ".")}${more}${scope}`;
}

function figureOf(checks: readonly CheckResult[], id: string, make: (details: unknown) => Figure | undefined): Figure[] {
  const details = checks.find((check) => check.id === id && check.status !== "skipped")?.details;
  const figure = details === undefined ? undefined : make(details);
  return figure === undefined ? [] : [figure];
}

function figuresOf({ checks }: ValidationReport): Figure[] {
  const number = (details: unknown, pointer: string) => {
    const value = at(details, pointer);
    return typeof value === "number" ? value : undefined;
  };
  const measured = (id: string, label: string, pointer: string, unit: string, note: (details: unknown) => string) =>
    figureOf(checks, id, (details) => {
      const value = number(details, pointer);
      return value === undefined ? undefined : { label, value: `${value} ${unit}`, note: note(details) };
    });
  const totals = totalsOf(checks);
  return [
    { label: "Checks passed", value: `${totals.passed} of ${checks.length}`, note: describeTotals(checks.filter((check) => check.status !== "passed")).replace(/^no checks$/, "nothing else") },
    ...measured("performance.page-load", "Slowest page", "/slowestMs", "ms", (details) => `bound ${number(details, "/boundMs")} ms`),
    ...measured("performance.concurrent-requests", "p95 under load", "/p95Ms", "ms", (details) => `${number(details, "/requests")} requests, ${number(details, "/concurrency")} at a time`),
    ...measured("database.standard-queries", "Slowest query", "/slowestMs", "ms", () => "of the standard ones"),
    ...measured("performance.memory", "Memory of services", "/totalMb", "MB", (details) => `bound ${number(details, "/boundMb")} MB`),
    ...measured("infrastructure.certificate", "Certificate ends in", "/daysLeft", "days", () => "renewed under 30"),
  ];
}

function addresses({ urls }: ValidationReport): Html {
  const names: Readonly<Record<string, string>> = { https: "Application", http: "Redirects to it", app: "Application, past the proxy", prometheus: "Prometheus", grafana: "Grafana" };
  return html`<table><tbody>${Object.entries(urls).map(([name, url]) => html`<tr><th scope="row">${names[name] ?? name}</th><td><a href="${url}">${url}</a></td></tr>`)}</tbody></table>`;
}

export function renderValidationPage(report: ValidationReport): string {
  return renderPage({
    ...report,
    title: "Staging validation",
    headline: headlineOf(report),
    figures: figuresOf(report),
    sections: [{ title: "Where it runs", body: addresses(report) }],
  });
}
