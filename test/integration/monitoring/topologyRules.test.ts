import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";

interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}
interface Rules {
  groups: { rules: Rule[] }[];
}

const source = "components/monitoring";
const read = <Document>(name: string) => parse(readFileSync(join(source, name), "utf8")) as Document;
const rules = read<Rules>("topology-alerts.yaml").groups.flatMap((group) => group.rules);
const cases = read<{ tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[] }>("topology-alerts.test.yaml").tests.flatMap((one) => one.alert_rule_test);
const names = rules.map(({ alert }) => alert).sort();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "understudy-topology-rules-"));
  cpSync(join(source, "topology-alerts.test.yaml"), join(folder, "topology-alerts.test.yaml"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The alerts whose tests fail once the rules were changed. */
function failing(change: (rule: Rule) => void): string[] {
  const document = read<Rules>("topology-alerts.yaml");
  for (const rule of document.groups.flatMap((group) => group.rules)) change(rule);
  writeFileSync(join(folder, "topology-alerts.yaml"), stringify(document));
  const { stdout, stderr } = spawnSync("promtool", ["test", "rules", "topology-alerts.test.yaml"], { cwd: folder, encoding: "utf8" });
  return [...new Set([...`${stdout}${stderr}`.matchAll(/alertname: (\w+), time/g)].map(([, name]) => name ?? ""))].sort();
}

describe("the alert rules of the larger topology", () => {
  test("are valid, and their tests pass", () => {
    expect(spawnSync("promtool", ["check", "rules", join(source, "topology-alerts.yaml")]).status).toBe(0);
    expect(failing(() => {})).toEqual([]);
  });

  test("each is seen to fire, and to be silent", () => {
    for (const name of names) {
      const own = cases.filter(({ alertname }) => alertname === name);
      expect(own.some(({ exp_alerts }) => exp_alerts.length > 0), `${name} fires`).toBe(true);
      expect(own.some(({ exp_alerts }) => exp_alerts.length === 0), `${name} is silent`).toBe(true);
    }
  });

  test("each says how bad it is, what it is about, what is wrong and what to do", () => {
    for (const { alert, labels, annotations } of rules) {
      expect(["warning", "critical"], alert).toContain(labels["severity"]);
      expect(labels["component"], alert).toMatch(/^[a-z-]+$/);
      expect(annotations["summary"], alert).toMatch(/[^.]$/);
      expect(annotations["action"], alert).toMatch(/\.$/);
    }
  });

  test("planted: rules that never fire, and rules that always do, are each found", () => {
    expect(failing((rule) => (rule.expr = `(${rule.expr}) and absent(up) and absent(absent(up))`))).toEqual(names);
    expect(failing((rule) => {
      rule.expr = "vector(1)";
      delete rule.for;
    })).toEqual(names);
  });
});
