import type { CheckResult } from "../../../engine/report/check.ts";
import type { ReportBase } from "../../../engine/report/report.ts";

export function sampleCheck(over: Partial<CheckResult> = {}): CheckResult {
  return {
    id: "security.redirect",
    category: "security",
    title: "HTTP redirects to HTTPS",
    severity: "error",
    status: "passed",
    evidence: "answered 308",
    durationMs: 4,
    ...over,
  };
}

/** One check of each standing, in two categories, in an order that is not worst first. */
export const oneOfEach: readonly CheckResult[] = [
  sampleCheck({ id: "security.held", title: "Held" }),
  sampleCheck({ id: "security.skipped", title: "Left out", status: "skipped", evidence: "monitoring is off" }),
  sampleCheck({ id: "security.warned", title: "Warned", status: "failed", severity: "warning", evidence: "disk is getting full", remedy: "Free some." }),
  sampleCheck({ id: "database.errored", category: "database", title: "Unrunnable", status: "errored", evidence: "connection refused", remedy: "Start it." }),
  sampleCheck({ id: "database.failed", category: "database", title: "Orphans", status: "failed", evidence: "3 orphans", remedy: "Remove them." }),
];

export function sampleReport(checks: readonly CheckResult[] = oneOfEach): ReportBase {
  return {
    schema: "understudy/sample-report",
    version: 1,
    stack: "local",
    workload: "sample",
    startedAt: "2026-11-21T01:02:03.000Z",
    durationMs: 1_240,
    verdict: "failed",
    checks: [...checks],
  };
}
