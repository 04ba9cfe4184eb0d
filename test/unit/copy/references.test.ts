import { assert, property, string, uniqueArray } from "fast-check";
import { describe, expect, test } from "vitest";
import { findTable, referenceKey, tableKey } from "../../../engine/copy/catalog.ts";
import type { Reference, Table } from "../../../engine/copy/catalog.ts";
import { parseReference, subsetPolicy } from "../../../engine/copy/subsetPolicy.ts";

const tableOf = (schema: string, name: string): Table => ({ schema, name, key: tableKey(schema, name) }) as Table;

describe("names in policies", () => {
  test("plain ones are written plainly, with or without their schema", () => {
    const catalog = { tables: [tableOf("public", "User"), tableOf("audit log", "line")] };
    expect(catalog.tables.map(({ key }) => key)).toEqual(["User", "audit log.line"]);
    expect(findTable(catalog, "public.User")).toBe(catalog.tables[0]);
    expect(parseReference("audit log.line(user_id,  story id)")).toEqual({ table: "audit log.line", columns: ["user_id", "story id"] });
  });

  test("no two tables are named alike, and every reference is found again by its name", () => {
    const name = string({ minLength: 1, maxLength: 6, unit: "grapheme" }).filter((text) => text.trim() === text);
    assert(
      property(name, name, name, uniqueArray(name, { minLength: 1, maxLength: 3 }), (schema, table, other, columns) => {
        const keys = [tableKey(schema, table), tableKey(schema, `${table}.${other}`), tableKey(`${schema}.${table}`, other)];
        expect(new Set(keys).size).toBe(3);
        const reference = { child: tableOf(schema, table), childColumns: columns } as unknown as Reference;
        const text = referenceKey(reference);
        expect(parseReference(text)).toEqual({ table: tableKey(schema, table), columns });
        expect(subsetPolicy.safeParse({ version: 1, cut: [text] }).success).toBe(true);
      }),
    );
  });
});
