import { assert, dictionary, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import type { ColumnShape } from "../../../engine/masking/column.ts";
import { misfits } from "../../../engine/masking/fit.ts";
import { jsonTree, parseJsonPath } from "../../../engine/masking/jsonPath.ts";
import { maskingPolicy } from "../../../engine/masking/policy.ts";
import { columnRule, maskNames } from "../../../engine/masking/rule.ts";
import { parseReference, subsetPolicy } from "../../../engine/copy/subsetPolicy.ts";
import { parseDocument } from "../../../engine/workload/manifest.ts";

const text: ColumnShape = { name: "c", type: "text", family: "text", baseType: "text", notNull: false };

describe("masking.yaml", () => {
  test("names every wrong key at once", () => {
    const yaml = `
version: 2
tables:
  A: { columns: { a: emial, b: { mask: date-shift, days: 0 }, c: { mask: number }, d: { mask: email, form: short } } }
  B: { columns: { a: keep }, leaveOut: true }
  C: {}
extra: 1`;
    expect(() => parseDocument(maskingPolicy, yaml, "masking.yaml")).toThrow(
      /version.*tables\.A\.columns\.a.*must be one of keep, null.*tables\.A\.columns\.b\.days.*tables\.A\.columns\.c.*noisePercent or bucket.*tables\.A\.columns\.d.*tables\.B.*tables\.C.*extra/s,
    );
  });

  test("takes a bare name, options, and YAML's null", () => {
    const policy = parseDocument(maskingPolicy, "{version: 1, tables: {A: {columns: {a: email, b: null, c: {mask: date-shift, subject: a}}}}}", "f");
    expect(policy.tables["A"]?.columns).toEqual({ a: { mask: "email" }, b: { mask: "null" }, c: { mask: "date-shift", subject: "a", days: 30 } });
  });

  test("every documented name is a rule, given what it needs", () => {
    const needs: Record<string, object> = { number: { bucket: 5 }, constant: { value: 1 }, expression: { sql: "1" } };
    for (const mask of maskNames) expect(columnRule.safeParse({ mask, ...needs[mask] }).success, mask).toBe(true);
  });
});

describe("subset.yaml", () => {
  test("has defaults, and names every wrong key", () => {
    expect(parseDocument(subsetPolicy, "version: 1", "f")).toMatchObject({ limit: 10, roots: [], children: { default: "follow" }, whole: [] });
    expect(() => parseDocument(subsetPolicy, "{version: 1, limit: 0, cut: [Story], roots: [{tabel: A}]}", "f")).toThrow(/limit.*roots\.0.*cut\.0.*Table\(column\)/s);
  });

  test("a reference is its child side", () => {
    expect(parseReference("Sales Data.Order(tenant, id)")).toEqual({ table: "Sales Data.Order", columns: ["tenant", "id"] });
  });
});

describe("JSON paths", () => {
  test.each([
    ["a.b", [{ key: "a" }, { key: "b" }]],
    ["contacts[].email", [{ key: "contacts" }, "elements", { key: "email" }]],
    ["[][]", ["elements", "elements"]],
    ['"a.b"."c[]"', [{ key: "a.b" }, { key: "c[]" }]],
  ])("%s", (path, steps) => {
    expect(parseJsonPath(path)).toEqual(steps);
  });

  test.each(["", "a..b", ".a", "a[", "a[0]", "a.", '"a'])("%j is none", (path) => {
    expect(parseJsonPath(path)).toBeUndefined();
  });

  test("any key can be written in quotes", () => {
    const key = string({ minLength: 1 }).filter((name) => !name.includes('"'));
    assert(
      property(key, key, (first, second) => {
        expect(parseJsonPath(`"${first}"."${second}"[]`)).toEqual([{ key: first }, { key: second }, "elements"]);
      }),
    );
  });

  test("a tree of any paths has a rule for each, or says which is in the way", () => {
    expect(jsonTree({ a: "keep", "a.b": "email" }).problems).toEqual(['"a" has a rule, and so has something below it']);
    const plain = string({ minLength: 1, maxLength: 5 }).filter((name) => /^[^.[\]"]+$/.test(name));
    assert(
      property(dictionary(plain, plain), (keys) => {
        const { root, problems } = jsonTree(Object.fromEntries(Object.keys(keys).map((key) => [key, "keep"])));
        expect(problems).toEqual([]);
        expect([...root.keys.keys()].sort()).toEqual(Object.keys(keys).sort());
      }),
    );
  });
});

describe("misfits", () => {
  const rule = (input: unknown) => columnRule.parse(input);
  test.each([
    ["null where none may be", "null", { ...text, notNull: true }, /NOT NULL/],
    ["a mask for text on a number", "email", { ...text, family: "number" as const }, /email treats text, not number/],
    ["a column too narrow for an email", "email", { ...text, maxLength: 25 }, /needs 29 characters, the column holds 25/],
    ["a constant that is no label", { mask: "constant", value: "blue" }, { ...text, family: "enum" as const, labels: ["red"] }, /not one of red/],
    ["a constant too long", { mask: "constant", value: "blue" }, { ...text, maxLength: 3 }, /4 characters/],
    ["a shift of text", "date-shift", text, /date-shift treats date/],
    ["a JSON path that is none", { mask: "json", paths: { "a..b": "keep" } }, { ...text, family: "json" as const }, /not a path/],
    ["an array of numbers", "email", { ...text, family: "array" as const, elementFamily: "number" as const }, /not number/],
  ])("%s", (_, input, shape, problem) => {
    expect(misfits(rule(input), shape)).toEqual([expect.stringMatching(problem)]);
  });

  test.each([
    ["email", { ...text, maxLength: 29 }],
    ["null", text],
    ["uuid", { ...text, family: "uuid" as const }],
    ["ip", { ...text, family: "inet" as const }],
    ["text", { ...text, family: "array" as const, elementFamily: "text" as const }],
    ["keep", { ...text, family: "other" as const, notNull: true }],
  ])("none: %s", (input, shape) => {
    expect(misfits(rule(input), shape)).toEqual([]);
  });
});
