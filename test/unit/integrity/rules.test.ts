import { expect, test } from "vitest";
import { integrityDocument, loadIntegrityRules } from "../../../engine/integrity/rules.ts";
import { counted, nameSome } from "../../../engine/integrity/finding.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";

const rule = { id: "a", title: "A", remedy: "Do.", appliesTo: "t", sql: "SELECT id FROM t", key: ["id"] };
const problems = (rules: unknown[]): string[] =>
  integrityDocument.safeParse({ version: 1, rules }).error?.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`) ?? [];

test("the three kinds of rules are taken, severity error by default", () => {
  const rules = [
    rule,
    { id: "b", title: "B", remedy: "Do.", appliesTo: "t", scalar: "SELECT 1", expect: { atLeast: 1 }, severity: "warning" },
    { id: "c", title: "C", remedy: "Do.", notEmpty: "t" },
  ];
  expect(integrityDocument.parse({ version: 1, rules }).rules.map(({ id, severity }) => [id, severity])).toEqual([["a", "error"], ["b", "warning"], ["c", "error"]]);
});

test.each([
  ["no rules", [], /rules/],
  ["a rule twice", [rule, rule], /"a" is there twice/],
  ["no key", [{ ...rule, key: [] }], /rules/],
  ["no remedy", [{ ...rule, remedy: undefined }], /rules/],
  ["no bound", [{ id: "b", title: "B", remedy: "x", appliesTo: "t", scalar: "SELECT 1", expect: {} }], /rules/],
  ["a misspelt key", [{ ...rule, severty: "error" }], /rules/],
  ["an id that is no slug", [{ ...rule, id: "Not A Slug" }], /rules/],
])("%s is refused", (_what, rules, expected) => {
  expect(problems(rules).join("\n")).toMatch(expected);
});

test("the workload's own rules load", async () => {
  const rules = await loadIntegrityRules(await loadWorkload("workloads/stories"));
  expect(rules.length).toBeGreaterThanOrEqual(15);
  expect(rules.some((entry) => "notEmpty" in entry)).toBe(true);
});

test("examples are named up to five, the rest counted", () => {
  expect(nameSome(["a", "b"])).toBe("a, b");
  expect(nameSome(["a", "b", "c", "d", "e", "f"])).toBe("a, b, c, d, e and 1 more");
  expect(nameSome(["a"], 40)).toBe("a and 39 more");
  expect([counted(1, "row"), counted(0, "row"), counted(2, "index", "indexes")]).toEqual(["1 row", "0 rows", "2 indexes"]);
});
