import type { SchemaFingerprint, SchemaObject } from "./schema.ts";
import { tableOfColumn } from "./schema.ts";

/** What a schema lost or left half done from one state to the next, each finding in words. */
export interface SchemaLosses {
  readonly notValidated: readonly string[];
  readonly invalidIndexes: readonly string[];
  readonly disabledTriggers: readonly string[];
  readonly rowSecurityOff: readonly string[];
  readonly privilegesLost: readonly string[];
  readonly enumLabels: readonly string[];
  /** Constraints, indexes, triggers, policies, columns, views and functions that went although no statement names them. */
  readonly objectsLost: readonly string[];
}

/**
 * @param dropped names that the migration's statements drop or rename on purpose
 * @param rebuilt tables that kept their name but are another object now
 */
export function schemaLosses(
  before: SchemaFingerprint,
  after: SchemaFingerprint,
  dropped: ReadonlySet<string>,
  rebuilt: ReadonlySet<string>,
): SchemaLosses {
  const now = [...after.values()];
  const was = (object: SchemaObject, property: string) => before.get(`${object.kind} ${object.name}`)?.definition[property];
  const turned = (kinds: readonly string[], property: string, bad: unknown) =>
    now.filter((object) => kinds.includes(object.kind) && object.definition[property] === bad && was(object, property) !== bad);
  return {
    notValidated: turned(["constraint"], "validated", false).map(({ name }) => `constraint ${name} is NOT VALID`),
    invalidIndexes: turned(["index"], "valid", false).map(({ name }) => `index ${name} is invalid`),
    disabledTriggers: turned(["trigger", "constraint trigger", "event trigger"], "enabled", "D").map(({ kind, name }) => `${kind} ${name} is disabled`),
    rowSecurityOff: now
      .filter((object) => ["rowSecurity", "rowSecurityForced"].some((property) => was(object, property) === true && object.definition[property] === false))
      .map(({ name }) => `row security of ${name} is off`),
    privilegesLost: now.flatMap((object) => privilegesLost(before.get(`${object.kind} ${object.name}`), object)),
    enumLabels: now.flatMap((object) => labelsLost(before.get(`${object.kind} ${object.name}`), object)),
    objectsLost: [...objectsLost(before, after, dropped), ...columnsWeakened(before, after, rebuilt)],
  };
}

function privilegesLost(before: SchemaObject | undefined, after: SchemaObject): string[] {
  if (before === undefined) return [];
  const [then, now] = [list(before.definition["privileges"]), list(after.definition["privileges"])];
  const owner = before.definition["owner"];
  const lost = then.filter((entry) => !now.includes(entry) && !now.includes(`${entry}*`) && !entry.startsWith(`${String(owner)}=`));
  return [
    ...(lost.length === 0 ? [] : [`${after.kind} ${after.name} lost ${lost.join(", ")}`]),
    ...(owner === after.definition["owner"] ? [] : [`${after.kind} ${after.name} belonged to ${String(owner)}, now to ${String(after.definition["owner"])}`]),
  ];
}

function labelsLost(before: SchemaObject | undefined, after: SchemaObject): string[] {
  const [then, now] = [list(before?.definition["labels"]), list(after.definition["labels"])];
  const missing = then.filter((label) => !now.includes(label));
  if (missing.length > 0) return [`type ${after.name} lost ${missing.join(", ")}`];
  const kept = now.filter((label) => then.includes(label));
  return kept.join("\0") === then.join("\0") ? [] : [`type ${after.name} changed its order, from ${then.join(", ")} to ${now.join(", ")}`];
}

const ofTables = ["constraint", "index", "trigger", "policy", "rule", "column", "statistics"];
const onTheirOwn = ["view", "materialized view", "function"];

function objectsLost(before: SchemaFingerprint, after: SchemaFingerprint, dropped: ReadonlySet<string>): string[] {
  return [...before].flatMap(([key, object]) => {
    if (![...ofTables, ...onTheirOwn].includes(object.kind) || after.has(key)) return [];
    const table = ofTables.includes(object.kind) ? tableOf(object) : undefined;
    if (table !== undefined && !["table", "view", "materialized view"].some((kind) => after.has(`${kind} ${table}`))) return [];
    if (table === undefined && !after.has(`schema ${schemaOf(object.name)}`)) return [];
    return isNamed(object, dropped) ? [] : [`${object.kind} ${object.name} is gone, and no statement drops it by name`];
  });
}

/** A rebuilt table's columns that are less than they were. */
function columnsWeakened(before: SchemaFingerprint, after: SchemaFingerprint, rebuilt: ReadonlySet<string>): string[] {
  return [...before].flatMap(([key, { kind, name, definition }]) => {
    const now = after.get(key)?.definition;
    if (kind !== "column" || now === undefined || !rebuilt.has(tableOfColumn(name))) return [];
    const lost = ["notNull", "default", "identity", "generated", "comment"].filter(
      (property) => Boolean(definition[property]) && definition[property] !== now[property] && !now[property],
    );
    return lost.length === 0 ? [] : [`column ${name} lost its ${lost.join(", ")} when its table was rebuilt`];
  });
}

function tableOf({ kind, name, definition }: SchemaObject): string | undefined {
  if (kind === "column") return tableOfColumn(name);
  if (kind === "index") return String(definition["table"]);
  return / on (.+)$/.exec(name)?.[1];
}

/** `public` of `public."User"` and of `public.touch(integer)`. */
function schemaOf(name: string): string {
  return /^(?:"(?:[^"]|"")*"|[^".]+)(?=\.)/.exec(name)?.[0] ?? name;
}

/** Whether a statement drops the object by name, or a column that stands between parentheses in its definition. */
function isNamed({ kind, name, definition }: SchemaObject, dropped: ReadonlySet<string>): boolean {
  const bare = kind === "function" ? name.replace(/\([^()]*\)$/, "") : name;
  const own = ["index", "column", ...onTheirOwn].includes(kind) ? (/(?:"(?:[^"]|"")*"|[^."]+)$/.exec(bare)?.[0] ?? bare) : (bare.split(" on ", 1)[0] ?? bare);
  const inParentheses = onTheirOwn.includes(kind) ? [] : [...String(definition["definition"] ?? "").matchAll(/\(([^()]*)\)/g)].flatMap(([, text]) => [...(text ?? "").matchAll(/[\w$]+/g)]);
  return dropped.has(own.replaceAll('"', "")) || inParentheses.some(([word]) => dropped.has(word));
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
