import junit, { type Builder } from "junit-report-builder";
import { standingOf } from "./standing.ts";
import type { ReportBase } from "./report.ts";

/** Characters that XML 1.0 cannot hold, not even escaped. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const forbidden = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

function xmlSafe(text: string): string {
  return text.replaceAll(forbidden, "\uFFFD");
}

/**
 * The report as JUnit XML, one suite per category. Failed → failure, could not run → error, skipped → skipped;
 * a warning passes, its evidence in the test's output.
 */
export function renderJunit(report: ReportBase): string {
  // The package exports the builder itself, its types a module around it.
  const builder = (junit as unknown as Builder).newBuilder();
  const suites = Map.groupBy(report.checks, (check) => check.category);
  for (const [category, checks] of suites) {
    const suite = builder.testSuite().name(xmlSafe(category)).timestamp(report.startedAt);
    suite.time(checks.reduce((total, check) => total + check.durationMs, 0) / 1_000);
    for (const check of checks) {
      const message = xmlSafe(check.evidence);
      const whole = xmlSafe(check.remedy === undefined ? check.evidence : `${check.evidence}\n${check.remedy}`);
      const test = suite
        .testCase()
        .className(xmlSafe(`${report.workload}.${category}`))
        .name(xmlSafe(`${check.id}: ${check.title}`))
        .time(check.durationMs / 1_000);
      const standing = standingOf(check);
      if (standing === "failed") test.failure(message).standardOutput(whole);
      else if (standing === "errored") test.error(message).standardOutput(whole);
      else if (standing === "skipped") test.skipped().standardOutput(whole);
      else if (standing === "warning") test.standardOutput(`Warning: ${whole}`);
    }
  }
  return builder.build();
}
