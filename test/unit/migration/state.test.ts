import { describe, expect, test } from "vitest";
import { schemaLosses } from "../../../engine/migration/state/losses.ts";
import { compareSchemas, describeDifference, sameButForColumnOrder, tableOfColumn } from "../../../engine/migration/state/schema.ts";
import type { SchemaFingerprint, SchemaObject } from "../../../engine/migration/state/schema.ts";
import { sequenceFaults } from "../../../engine/migration/state/sequences.ts";
import { fullName } from "../../../engine/migration/state/tables.ts";

const schema = (...objects: readonly [kind: string, name: string, definition?: SchemaObject["definition"]][]): SchemaFingerprint =>
  new Map(objects.map(([kind, name, definition = {}]) => [`${kind} ${name}`, { kind, name, definition }]));

describe("comparing schemas", () => {
  test("names what is missing, left over and changed, property by property", () => {
    const before = schema(["column", "public.t.a", { type: "integer" }], ["index", "public.i", { valid: true }]);
    const after = schema(["column", "public.t.a", { type: "bigint" }], ["trigger", "x on public.t"]);
    expect(compareSchemas(before, after).map(describeDifference)).toEqual([
      "column public.t.a: type was integer, is bigint",
      "index public.i is missing",
      "trigger x on public.t is left over",
    ]);
    expect(compareSchemas(before, before)).toEqual([]);
  });

  test("columns of a table that is gone are not told one by one", () => {
    const before = schema(["table", 'public."T"'], ["column", 'public."T"."a.b"'], ["column order", 'public."T"', { columns: ["a.b"] }]);
    expect(compareSchemas(before, schema()).map(({ kind }) => kind)).toEqual(["table"]);
    expect(tableOfColumn('public."a.""b"."c.d"')).toBe('public."a.""b"');
  });

  test("the order of columns is a difference of its own", () => {
    const before = schema(["column order", "public.t", { columns: ["a", "b"] }]);
    const after = schema(["column order", "public.t", { columns: ["b", "a"] }]);
    expect(sameButForColumnOrder(compareSchemas(before, after))).toBe(true);
  });
});

describe("losses", () => {
  const none = new Set<string>();
  const table: [string, string, SchemaObject["definition"]] = ["table", "public.t", { owner: "o", privileges: ["app=SELECT", "app=UPDATE", "o=SELECT"], rowSecurity: true }];
  const index: [string, string, SchemaObject["definition"]] = ["index", "public.i", { table: "public.t", definition: "CREATE INDEX i ON public.t USING btree (a, b)", valid: true }];

  test("an unchanged schema loses nothing", () => {
    const same = schema(table, index, ["constraint", "c on public.t", { validated: true }], ["type", "public.e", { labels: ["x", "y"] }]);
    expect(Object.values(schemaLosses(same, same, none, none)).flat()).toEqual([]);
  });

  test.each<[keyof ReturnType<typeof schemaLosses>, SchemaFingerprint, SchemaFingerprint]>([
    ["notValidated", schema(), schema(["constraint", "c on public.t", { validated: false }])],
    ["invalidIndexes", schema(index), schema(["index", "public.i", { ...index[2], valid: false }])],
    ["disabledTriggers", schema(["trigger", "x on public.t", { enabled: "O" }]), schema(["trigger", "x on public.t", { enabled: "D" }])],
    ["rowSecurityOff", schema(table), schema(["table", "public.t", { ...table[2], rowSecurity: false }])],
    ["privilegesLost", schema(table), schema(["table", "public.t", { ...table[2], privileges: ["app=SELECT", "o=SELECT"] }])],
    ["privilegesLost", schema(table), schema(["table", "public.t", { ...table[2], owner: "somebody" }])],
    ["enumLabels", schema(["type", "public.e", { labels: ["x", "y"] }]), schema(["type", "public.e", { labels: ["x"] }])],
    ["enumLabels", schema(["type", "public.e", { labels: ["x", "y"] }]), schema(["type", "public.e", { labels: ["y", "x"] }])],
    ["objectsLost", schema(table, index), schema(table)],
  ])("%s", (of, before, after) => {
    const losses = schemaLosses(before, after, none, none);
    expect(losses[of]).toHaveLength(1);
    expect(Object.entries(losses).filter(([name, found]) => name !== of && (found as unknown[]).length > 0)).toEqual([]);
  });

  test("what a statement drops by name, or by one of its columns, or with its table, is no loss", () => {
    for (const dropped of ["i", "b"]) expect(schemaLosses(schema(table, index), schema(table), new Set([dropped]), none).objectsLost).toEqual([]);
    expect(schemaLosses(schema(table, index), schema(), none, none).objectsLost).toEqual([]);
    expect(schemaLosses(schema(table, index), schema(table), new Set(["t"]), none).objectsLost).toHaveLength(1);
  });

  test("views and functions that went along with something else", () => {
    const before = schema(["schema", "public"], ["view", "public.v", { definition: "SELECT a FROM t" }], ["function", "public.touch(integer)", {}]);
    const lost = (dropped: readonly string[], after = schema(["schema", "public"])) => schemaLosses(before, after, new Set(dropped), none).objectsLost;
    expect(lost([])).toEqual(["view public.v is gone, and no statement drops it by name", "function public.touch(integer) is gone, and no statement drops it by name"]);
    expect(lost(["a"])).toHaveLength(2);
    expect(lost(["v", "touch"])).toEqual([]);
    expect(lost(["public"], schema())).toEqual([]);
  });

  test("a new enum value between the old ones, a privilege made grantable: no loss", () => {
    const before = schema(["type", "public.e", { labels: ["x", "y"] }], ["table", "public.t", { owner: "o", privileges: ["app=SELECT"] }]);
    const after = schema(["type", "public.e", { labels: ["x", "new", "y"] }], ["table", "public.t", { owner: "o", privileges: ["app=SELECT*"] }]);
    expect(Object.values(schemaLosses(before, after, none, none)).flat()).toEqual([]);
  });

  test("a rebuilt table's column that lost its default", () => {
    const before = schema(["column", "public.t.a", { default: "1", notNull: true }]);
    const after = schema(["column", "public.t.a", { default: null, notNull: false }]);
    expect(schemaLosses(before, after, none, new Set(["public.t"])).objectsLost).toEqual(["column public.t.a lost its notNull, default when its table was rebuilt"]);
    expect(schemaLosses(before, after, none, none).objectsLost).toEqual([]);
  });
});

describe("sequences", () => {
  const at = (lastValue: bigint | undefined, farthest: bigint | undefined, increment = 1n) => [{ name: "s", lastValue, increment, column: "t.id", farthest }];
  test("going back, or behind the column, is a fault; ahead, or behind as before, is none", () => {
    expect(sequenceFaults(at(10n, 10n), at(1n, 10n))).toEqual(["s went back from 10 to 1"]);
    expect(sequenceFaults(at(10n, 10n), at(undefined, 10n))).toHaveLength(1);
    expect(sequenceFaults(at(10n, 10n), at(10n, 20n))[0]).toContain("the next insert collides");
    expect(sequenceFaults([], at(undefined, 3n))).toHaveLength(1);
    expect(sequenceFaults(at(10n, 10n), at(12n, 12n))).toEqual([]);
    expect(sequenceFaults(at(5n, 10n), at(5n, 11n))).toEqual([]);
    expect(sequenceFaults(at(-10n, -10n, -1n), at(-1n, -10n, -1n))).toHaveLength(1);
  });
});

test("names as people write them become names as the catalog writes them", () => {
  expect(['"User"', "user_story", '"user_story"', "Billing.Invoice", 'a."B.c"', "order", '"order"'].map(fullName)).toEqual([
    'public."User"', "public.user_story", "public.user_story", "billing.invoice", 'a."B.c"', 'public."order"', 'public."order"',
  ]);
});
