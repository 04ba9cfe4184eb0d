import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { metricNamesOf } from "../../support/promql.ts";

interface Rule {
  alert: string;
  expr: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}
interface RuleTest {
  name: string;
  alert_rule_test: { alertname: string; exp_alerts: unknown[] }[];
}

/** Alerts without a test that sees them fire, or without one that sees them silent. */
function untested(names: readonly string[], cases: RuleTest["alert_rule_test"]): string[] {
  return names.filter((name) => {
    const own = cases.filter(({ alertname }) => alertname === name);
    return !own.some(({ exp_alerts }) => exp_alerts.length > 0) || !own.some(({ exp_alerts }) => exp_alerts.length === 0);
  });
}

describe.each(["architect", "stories"])("alert rules of %s", (workload) => {
  const folder = `workloads/${workload}/monitoring`;
  const rules = (parse(readFileSync(`${folder}/alerts.yaml`, "utf8")) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);
  const tests = (parse(readFileSync(`${folder}/alerts.test.yaml`, "utf8")) as { tests: RuleTest[] }).tests.flatMap((each) => each.alert_rule_test);

  test("each has a test that sees it fire and one that sees it silent", () => {
    expect(rules.length).toBeGreaterThan(20);
    expect(untested(rules.map((rule) => rule.alert), tests)).toEqual([]);
  });

  test("the check above sees an alert without tests, and one that is only ever silent", () => {
    const silentOnly = tests.filter(({ alertname, exp_alerts }) => alertname !== "TargetDown" || exp_alerts.length === 0);
    expect(untested(["TargetDown", "NeverTested"], silentOnly)).toEqual(["TargetDown", "NeverTested"]);
  });

  test("no test is for an alert that is not there, and no alert is there twice", () => {
    const names = rules.map((rule) => rule.alert);
    expect(tests.filter(({ alertname }) => !names.includes(alertname))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  test("each says how bad it is, what it is about, what is wrong and what to do", () => {
    for (const rule of rules) {
      expect(["warning", "critical"], rule.alert).toContain(rule.labels["severity"]);
      expect(rule.labels["component"], rule.alert).toMatch(/^[a-z-]+$/);
      expect(rule.annotations["summary"], rule.alert).not.toMatch(/\.$/);
      expect(rule.annotations["action"], rule.alert).toMatch(/\.$/);
    }
  });
});

describe("metricNamesOf", () => {
  test("finds metrics and nothing else", () => {
    expect(
      metricNamesOf(`histogram_quantile(0.95, sum by (le, route) (rate(a_bucket{route!~"x|y", le="b_total"}[5m]))) > 3e9
        and on (instance) b:rate5m offset 1h == bool 1 unless (c_total > 1e3)`),
    ).toEqual(["a_bucket", "b:rate5m", "c_total"]);
    expect(metricNamesOf("time() - started_seconds > 4 * 3600")).toEqual(["started_seconds"]);
  });
});
