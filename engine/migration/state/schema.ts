import type { Client } from "pg";
import { catalogQueries } from "./catalog.ts";

/** A database's schema by name: `table public."User"` to its definition. */
export type SchemaFingerprint = ReadonlyMap<string, SchemaObject>;

export interface SchemaObject {
  readonly kind: string;
  readonly name: string;
  readonly definition: Readonly<Record<string, unknown>>;
}

export interface SchemaDifference {
  readonly kind: string;
  readonly name: string;
  readonly change: "missing" | "added" | "changed";
  /** For a change: which property, from what to what. */
  readonly properties: readonly { readonly property: string; readonly before: unknown; readonly after: unknown }[];
}

/** Reads the whole schema; the session must have `canonicalOutput`, so that names are written in full. */
export async function readSchema(client: Client): Promise<SchemaFingerprint> {
  const { rows } = await client.query<SchemaObject>(catalogQueries.map((query) => `(${query})`).join("\nUNION ALL\n"));
  return new Map(rows.map((row) => [`${row.kind} ${row.name}`, row]));
}

/** What differs, objects inside a missing or added table left out. */
export function compareSchemas(before: SchemaFingerprint, after: SchemaFingerprint): SchemaDifference[] {
  const differences: SchemaDifference[] = [];
  for (const [key, object] of before) {
    const other = after.get(key);
    if (other === undefined) differences.push({ ...nameOf(object), change: "missing", properties: [] });
    else {
      const properties = changedProperties(object.definition, other.definition);
      if (properties.length > 0) differences.push({ ...nameOf(object), change: "changed", properties });
    }
  }
  for (const [key, object] of after) {
    if (!before.has(key)) differences.push({ ...nameOf(object), change: "added", properties: [] });
  }
  const wholeTables = new Set(differences.filter(({ kind, change }) => kind.endsWith("table") && change !== "changed").map(({ name }) => name));
  return differences.filter(({ kind, name }) => !(kind.startsWith("column") && wholeTables.has(kind === "column" ? tableOfColumn(name) : name)));
}

/** Whether two schemas differ in nothing but the order of columns. */
export function sameButForColumnOrder(differences: readonly SchemaDifference[]): boolean {
  return differences.every(({ kind }) => kind === "column order");
}

/** `column public.t.c is missing`, `index i: valid true, now false`. */
export function describeDifference({ kind, name, change, properties }: SchemaDifference): string {
  if (change !== "changed") return `${kind} ${name} is ${change === "missing" ? "missing" : "left over"}`;
  return `${kind} ${name}: ${properties.map(({ property, before, after }) => `${property} was ${show(before)}, is ${show(after)}`).join("; ")}`;
}

/** `public."User"` of `public."User".email`. */
export function tableOfColumn(name: string): string {
  return /^((?:"(?:[^"]|"")*"|[^".]+)\.(?:"(?:[^"]|"")*"|[^".]+))\./.exec(name)?.[1] ?? name;
}

function nameOf({ kind, name }: SchemaObject): { kind: string; name: string } {
  return { kind, name };
}

function changedProperties(before: SchemaObject["definition"], after: SchemaObject["definition"]): SchemaDifference["properties"] {
  return Object.keys({ ...before, ...after })
    .filter((property) => JSON.stringify(before[property]) !== JSON.stringify(after[property]))
    .map((property) => ({ property, before: before[property], after: after[property] }));
}

function show(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value ?? "none");
  return text.length <= 200 ? text : `${text.slice(0, 199)}…`;
}
