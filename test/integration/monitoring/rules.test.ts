import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";

interface Rules {
  groups: { name: string; rules: { alert: string; expr: string; for?: string }[] }[];
}

describe.each(["architect", "stories"])("promtool on the rules of %s", (workload) => {
  const source = `workloads/${workload}/monitoring`;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "understudy-rules-"));
    cpSync(join(source, "alerts.test.yaml"), join(folder, "alerts.test.yaml"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs the rules' tests against changed rules; gives the alerts whose tests failed. */
  function failing(change: (rule: Rules["groups"][number]["rules"][number]) => void): { status: number | null; alerts: Set<string> } {
    const rules = parse(readFileSync(join(source, "alerts.yaml"), "utf8")) as Rules;
    for (const rule of rules.groups.flatMap((group) => group.rules)) change(rule);
    writeFileSync(join(folder, "alerts.yaml"), stringify(rules));
    const { status, stderr, stdout } = spawnSync("promtool", ["test", "rules", "alerts.test.yaml"], { cwd: folder, encoding: "utf8" });
    return { status, alerts: new Set([...`${stdout}${stderr}`.matchAll(/alertname: (\w+), time/g)].map(([, name]) => name ?? "")) };
  }

  const names = (parse(readFileSync(join(source, "alerts.yaml"), "utf8")) as Rules).groups.flatMap((group) => group.rules.map((rule) => rule.alert));

  test("the rules are valid and their tests pass", () => {
    expect(spawnSync("promtool", ["check", "rules", join(source, "alerts.yaml")]).status).toBe(0);
    expect(failing(() => {})).toEqual({ status: 0, alerts: new Set() });
  });

  test("planted: rules that can never fire are each found by their tests", () => {
    const { status, alerts } = failing((rule) => {
      rule.expr = `(${rule.expr}) and absent(up) and absent(absent(up))`;
    });
    expect(status).not.toBe(0);
    expect([...alerts].sort()).toEqual([...names].sort());
  });

  test("planted: rules that always fire are each found by their tests", () => {
    const { alerts } = failing((rule) => {
      rule.expr = "vector(1)";
      delete rule.for;
    });
    expect([...alerts].sort()).toEqual([...names].sort());
  });

  test("planted: thresholds turned round are found", () => {
    const turned: string[] = [];
    const { alerts } = failing((rule) => {
      const expr = rule.expr.replace(/([<>])(?= [\d(])/, (sign) => (sign === "<" ? ">" : "<"));
      if (expr !== rule.expr) turned.push(rule.alert);
      rule.expr = expr;
    });
    expect(turned.length).toBeGreaterThan(15);
    expect(turned.filter((name) => !alerts.has(name))).toEqual([]);
  });
});
