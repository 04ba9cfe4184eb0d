import { array, boolean, constantFrom, integer, option, record, uniqueArray } from "fast-check";
import type { Arbitrary } from "fast-check";
import { quoteIdentifier, quoteLiteral } from "../../engine/postgres/identifier.ts";

/*
 * Schemas, data and policies that nobody wrote. Every table has a kept column `n`, the number of its row, so that each row of a copy
 * can be told; which rows a subset must hold is computed here, by other means than the copy's.
 */

/** A column beside keys: its type, the rule it gets, and the SQL of a row's value from a number that several rows share. */
interface ValueKind {
  readonly type: string;
  readonly rule: unknown;
  /** Values masked under one name agree, in whatever table. */
  readonly domain?: string;
  readonly injective?: boolean;
  value(seed: number): string;
}

const person = (seed: number): string => quoteLiteral(`Person ${seed} von Öst-"${seed * 7}"`);
const label = (seed: number): string => quoteLiteral(`label\t${seed % 4}\\`);

const valueKinds: readonly ValueKind[] = [
  { type: "text", rule: "keep", value: label },
  { type: "varchar(40)", rule: "email", domain: "email", injective: true, value: person },
  { type: "text", rule: "email", domain: "email", injective: true, value: person },
  { type: "text", rule: "full-name", domain: "full_name", value: person },
  { type: "varchar(64)", rule: "hash", domain: "hash", injective: true, value: person },
  { type: "text", rule: "text", domain: "text", value: person },
  { type: "char(30)", rule: "token", domain: "token", value: person },
  { type: "text", rule: "phone", domain: "phone", value: (seed) => quoteLiteral(`+351 912 345 ${String(100 + seed)}`) },
  { type: "text[]", rule: "company", domain: "company", value: (seed) => `ARRAY[${person(seed)}, NULL, '']` },
  { type: "text[]", rule: "keep", value: (seed) => `ARRAY[${label(seed)}]` },
  { type: "int", rule: { mask: "number", bucket: 10 }, domain: "number", value: String },
  { type: "numeric(12,3)", rule: { mask: "number", noisePercent: 30 }, domain: "noise", value: (seed) => `${seed * 1001}.125` },
  { type: "date", rule: { mask: "date-shift", days: 40 }, domain: "date", value: (seed) => `date '2020-01-01' + ${seed}` },
  { type: "timestamptz", rule: "keep", value: (seed) => `timestamptz '2020-01-01 00:00+00' + ${seed} * interval '1 hour'` },
  { type: "uuid", rule: "uuid", domain: "uuid", injective: true, value: (seed) => `md5('u${seed}')::uuid` },
  { type: "inet", rule: "ip", domain: "ip", value: (seed) => `inet '192.0.2.0' + ${seed}` },
  { type: "jsonb", rule: { mask: "json", paths: { "who.mail": "email", size: "keep" } }, value: (seed) => `jsonb_build_object('who', jsonb_build_object('mail', ${person(seed)}), 'size', ${seed}, 'x', ${person(seed)})` },
  { type: "bytea", rule: "hash", domain: "hash_bytes", injective: true, value: (seed) => `sha256('b${seed}')` },
  { type: "boolean", rule: "keep", value: (seed) => String(seed % 2 === 0) },
  { type: "shade", rule: "keep", value: (seed) => (seed % 2 === 0 ? "'dark'" : "'very light'") },
  { type: "positive", rule: "keep", value: (seed) => String(seed + 1) },
  { type: "address", rule: "email", domain: "email", injective: true, value: person },
  { type: "tstzrange", rule: "keep", value: (seed) => `tstzrange(NULL, timestamptz '2020-01-01 00:00+00' + ${seed} * interval '1 day')` },
  { type: "double precision", rule: "keep", value: (seed) => `${seed} / 3.0` },
];

type KeyKind = "none" | "int" | "uuid" | "email" | "hash" | "composite" | "unique";
type Partitions = "none" | "hash" | "range";

interface DrawnTable {
  readonly key: KeyKind;
  readonly partitions: Partitions;
  readonly rows: number;
  readonly columns: readonly { readonly kind: number; readonly nullable: boolean; readonly seed: number }[];
  readonly references: readonly { readonly to: number; readonly nullable: boolean; readonly seed: number }[];
  readonly hasGenerated: boolean;
  readonly inOwnSchema: boolean;
}

interface DrawnSubset {
  readonly roots: readonly { readonly table: number; readonly limit: number; readonly even: boolean }[];
  readonly follow: boolean;
  readonly cutNullable: boolean;
}

export interface Drawn {
  readonly tables: readonly DrawnTable[];
  readonly subset: DrawnSubset | null;
}

const drawnTable: Arbitrary<DrawnTable> = record({
  key: constantFrom<KeyKind>("none", "int", "int", "uuid", "email", "hash", "composite", "unique"),
  partitions: constantFrom<Partitions>("none", "none", "hash", "range"),
  rows: integer({ min: 0, max: 25 }),
  columns: array(record({ kind: integer({ min: 0, max: valueKinds.length - 1 }), nullable: boolean(), seed: integer({ min: 1, max: 9 }) }), { minLength: 1, maxLength: 5 }),
  references: array(record({ to: integer({ min: 0, max: 9 }), nullable: boolean(), seed: integer({ min: 0, max: 9 }) }), { maxLength: 3 }),
  hasGenerated: boolean(),
  inOwnSchema: boolean(),
});

/** Two to six tables that refer to each other in any way, cycles and themselves included. */
export const drawn: Arbitrary<Drawn> = record({
  tables: array(drawnTable, { minLength: 2, maxLength: 6 }),
  subset: option(
    record({
      roots: uniqueArray(record({ table: integer({ min: 0, max: 5 }), limit: integer({ min: 1, max: 4 }), even: boolean() }), { minLength: 1, maxLength: 2, selector: ({ table }) => table }),
      follow: boolean(),
      cutNullable: boolean(),
    }),
    { freq: 3 },
  ),
});

interface ModelColumn {
  readonly name: string;
  readonly kind: ValueKind;
  readonly nullable: boolean;
  readonly seed: number;
}

interface ModelReference {
  readonly columns: readonly string[];
  readonly parent: ModelTable;
  readonly nullable: boolean;
  /** Row of the parent for each row, or null. */
  target(row: number): number | null;
}

export interface ModelTable {
  readonly schema: string;
  readonly name: string;
  readonly drawn: DrawnTable;
  readonly keyColumns: readonly { readonly name: string; readonly type: string; value(row: number): string }[];
  readonly columns: readonly ModelColumn[];
  references: ModelReference[];
}

const oddNames = ["order", "User", "Größe", "a b", 'quo"te', "x.y", "t"];
const masksOfKeys: Readonly<Partial<Record<KeyKind, string>>> = { email: "email", hash: "hash" };

function keyColumnsOf(key: KeyKind, table: number): ModelTable["keyColumns"] {
  const int = { name: "id", type: "int", value: (row: number) => String(row * 3 + 1) };
  const text = { name: "Key Text", type: "varchar(80)", value: (row: number) => `'keyOfTable${table}Row${row}'` };
  switch (key) {
    case "none":
      return [];
    case "int":
    case "unique":
      return [int];
    case "uuid":
      return [{ name: "id", type: "uuid", value: (row) => `md5('key ${table} ${row}')::uuid` }];
    case "email":
    case "hash":
      return [text];
    case "composite":
      return [int, { ...text, name: "part two", value: (row) => `'part${row % 3}'` }];
  }
}

/** The tables as they will be, their references drawn to tables that have rows and a key. */
export function modelOf({ tables }: Drawn): ModelTable[] {
  const model = tables.map((table, index): ModelTable => {
    const columns = table.columns.flatMap(({ kind, nullable, seed }, position): ModelColumn[] => {
      const chosen = valueKinds[kind];
      return chosen === undefined ? [] : [{ name: `c${position}`, kind: chosen, nullable, seed }];
    });
    return { schema: table.inOwnSchema ? "own schema" : "public", name: oddNames[index] ?? `table${index}`, drawn: table, keyColumns: keyColumnsOf(table.key, index), columns, references: [] };
  });
  for (const table of model) {
    table.references = table.drawn.references.flatMap(({ to, nullable, seed }, position): ModelReference[] => {
      const parent = model[to % model.length];
      if (parent === undefined || parent.keyColumns.length === 0 || (parent.drawn.rows === 0 && !nullable)) return [];
      const target = (row: number): number | null => (parent.drawn.rows === 0 || (nullable && (row + seed) % 4 === 0) ? null : (row * (seed + 1) + seed) % parent.drawn.rows);
      return [{ columns: parent.keyColumns.map(({ name }) => `r${position} ${name}`), parent, nullable, target }];
    });
  }
  return model;
}

export const sqlName = ({ schema, name }: Pick<ModelTable, "schema" | "name">): string => `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;

/** As policies name it. */
export function policyName({ schema, name }: ModelTable): string {
  const plain = /[."(),]/.test(name) ? quoteIdentifier(name) : name;
  return schema === "public" ? plain : `${schema}.${plain}`;
}

function isNull({ nullable, seed }: ModelColumn, row: number): boolean {
  return nullable && (row + seed) % 5 === 0;
}

/** SQL that makes the schema and its rows anew; foreign keys come after the rows, so that any cycle can stand. */
export function sqlOf(model: readonly ModelTable[]): string {
  const statements = [
    `DROP SCHEMA IF EXISTS "own schema" CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE SCHEMA "own schema"; SET search_path = public`,
    "CREATE TYPE shade AS ENUM ('dark', 'very light')",
    "CREATE DOMAIN positive AS int CHECK (VALUE > 0)",
    "CREATE DOMAIN address AS varchar(60) CHECK (VALUE <> '')",
  ];
  for (const table of model) statements.push(...createSql(table));
  for (const table of model) if (table.drawn.rows > 0) statements.push(insertSql(table));
  for (const table of model) {
    for (const { columns, parent } of table.references) {
      statements.push(
        `ALTER TABLE ${sqlName(table)} ADD FOREIGN KEY (${columns.map(quoteIdentifier).join(", ")}) REFERENCES ${sqlName(parent)} (${parent.keyColumns.map(({ name }) => quoteIdentifier(name)).join(", ")})`,
      );
    }
  }
  statements.push('GRANT USAGE ON SCHEMA public, "own schema" TO reader', 'GRANT SELECT ON ALL TABLES IN SCHEMA public, "own schema" TO reader');
  return statements.join(";\n");
}

function createSql(table: ModelTable): string[] {
  const { drawn: of, keyColumns } = table;
  const keys = keyColumns.map(({ name }) => quoteIdentifier(name)).join(", ");
  const isPartitioned = of.partitions !== "none" && of.key === "int";
  const parts = [
    "n int NOT NULL",
    ...keyColumns.map(({ name, type }) => `${quoteIdentifier(name)} ${type} NOT NULL`),
    ...table.columns.map(({ name, kind, nullable }) => `${name} ${kind.type}${nullable ? "" : " NOT NULL"}`),
    ...table.references.flatMap(({ columns, parent, nullable }) => columns.map((name, index) => `${quoteIdentifier(name)} ${parent.keyColumns[index]?.type ?? ""}${nullable ? "" : " NOT NULL"}`)),
    ...(of.hasGenerated ? ["g int GENERATED ALWAYS AS (n * 2) STORED"] : []),
    ...(keys === "" ? [] : [`${of.key === "unique" ? "UNIQUE" : "PRIMARY KEY"} (${keys})`]),
  ];
  const create = `CREATE TABLE ${sqlName(table)} (${parts.join(", ")})`;
  if (!isPartitioned) return [create];
  const partition = (suffix: string, bounds: string): string => `CREATE TABLE ${sqlName({ schema: table.schema, name: `${table.name}${suffix}` })} PARTITION OF ${sqlName(table)} FOR VALUES ${bounds}`;
  return of.partitions === "hash"
    ? [`${create} PARTITION BY HASH (id)`, partition("_0", "WITH (MODULUS 2, REMAINDER 0)"), partition("_1", "WITH (MODULUS 2, REMAINDER 1)")]
    : [`${create} PARTITION BY RANGE (id)`, partition("_low", "FROM (MINVALUE) TO (20)"), partition("_high", "FROM (20) TO (MAXVALUE)")];
}

function insertSql(table: ModelTable): string {
  const names = ["n", ...table.keyColumns.map(({ name }) => name), ...table.columns.map(({ name }) => name), ...table.references.flatMap(({ columns }) => columns)];
  const rows = Array.from({ length: table.drawn.rows }, (_, row) => {
    const values = [
      String(row),
      ...table.keyColumns.map(({ value }) => value(row)),
      ...table.columns.map((column) => (isNull(column, row) ? "NULL" : column.kind.value((row + column.seed) % 12))),
      ...table.references.flatMap(({ parent, target }) => {
        const to = target(row);
        return parent.keyColumns.map(({ value }) => (to === null ? "NULL" : value(to)));
      }),
    ];
    return `(${values.join(", ")})`;
  });
  return `INSERT INTO ${sqlName(table)} (${names.map(quoteIdentifier).join(", ")}) VALUES ${rows.join(", ")}`;
}

/** Masking and subset policies for the tables; foreign keys are left to follow by themselves. */
export function policiesOf(model: readonly ModelTable[], { subset }: Drawn): { readonly masking: unknown; readonly subset: unknown } {
  const masking = {
    version: 1,
    tables: Object.fromEntries(
      model.map((table) => [
        policyName(table),
        {
          columns: {
            n: "keep",
            ...Object.fromEntries(table.keyColumns.map(({ name }) => [name, masksOfKeys[table.drawn.key] ?? "keep"])),
            ...Object.fromEntries(table.columns.map(({ name, kind }) => [name, kind.rule])),
          },
        },
      ]),
    ),
  };
  if (subset === null) return { masking, subset: { version: 1, whole: "all" } };
  return {
    masking,
    subset: {
      version: 1,
      roots: rootsOf(model, subset).map(({ table, limit, even }) => ({ table: policyName(table), limit, orderBy: ["n"], ...(even ? { where: "n % 2 = 0" } : {}) })),
      children: { default: subset.follow ? "follow" : "skip" },
      cut: subset.cutNullable ? model.flatMap((table) => table.references.filter(({ nullable }) => nullable).map(({ columns }) => `${policyName(table)}(${columns.join(", ")})`)) : [],
    },
  };
}

function rootsOf(model: readonly ModelTable[], subset: DrawnSubset): { table: ModelTable; limit: number; even: boolean }[] {
  const roots = subset.roots.flatMap(({ table, ...rest }) => {
    const chosen = model[table % model.length];
    return chosen === undefined ? [] : [{ table: chosen, ...rest }];
  });
  return roots.filter(({ table }, index) => roots.findIndex((other) => other.table === table) === index);
}

/** Numbers of the rows of each table that a copy must hold, found by walking the rows one by one. */
export function expectedRows(model: readonly ModelTable[], { subset }: Drawn): Map<ModelTable, Set<number>> {
  const all = (table: ModelTable): number[] => Array.from({ length: table.drawn.rows }, (_, row) => row);
  if (subset === null) return new Map(model.map((table) => [table, new Set(all(table))]));
  const taken = new Map(model.map((table) => [table, new Set<number>()]));
  const owned = new Map(model.map((table) => [table, new Set<number>()]));
  const waiting: { table: ModelTable; row: number; isOwned: boolean }[] = [];
  for (const { table, limit, even } of rootsOf(model, subset)) {
    for (const row of all(table).filter((number) => !even || number % 2 === 0).slice(0, limit)) waiting.push({ table, row, isOwned: true });
  }
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { table, row, isOwned } = next;
    if ((taken.get(table)?.has(row) ?? false) && (!isOwned || (owned.get(table)?.has(row) ?? false))) continue;
    taken.get(table)?.add(row);
    if (isOwned) owned.get(table)?.add(row);
    for (const { parent, target, nullable } of table.references) {
      const to = target(row);
      if (to !== null && !(subset.cutNullable && nullable)) waiting.push({ table: parent, row: to, isOwned: false });
    }
    if (!isOwned || !subset.follow) continue;
    for (const child of model) {
      for (const { parent, target } of child.references) {
        if (parent === table) for (const below of all(child)) if (target(below) === row) waiting.push({ table: child, row: below, isOwned: true });
      }
    }
  }
  return taken;
}
