import { isDeepStrictEqual } from "node:util";
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";

/** What happens to a resource, most dangerous first. */
export const operations = ["replace", "delete", "update", "create", "same"] as const;
export type PlannedOperation = (typeof operations)[number];

/** A property before and after; `undefined` where there was or will be none. Secrets are blinded by the engine. */
export interface PropertyChange {
  readonly property: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface PlannedChange {
  readonly resource: string;
  readonly kind: string;
  readonly operation: PlannedOperation;
  readonly properties: readonly PropertyChange[];
}

export interface Plan {
  readonly stack: string;
  /** False for a stack that was never made. */
  readonly exists: boolean;
  readonly durationMs: number;
  readonly changes: readonly PlannedChange[];
}

const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The engine's many names for the steps of a replacement come to one. */
function operationOf(op: string): PlannedOperation | undefined {
  if (op === "replace") return "replace";
  if (op === "create" || op === "update" || op === "delete" || op === "same") return op;
  return undefined;
}

/** Resources that only group others, and the engine's own. */
const noThing = /^(pulumi:|understudy:)/;

/** The change that an event announces: none for components, and for the halves of a replacement. */
export function planOf(event: EngineEvent): PlannedChange[] {
  const metadata = event.resourcePreEvent?.metadata;
  if (metadata === undefined || noThing.test(metadata.type)) return [];
  const operation = operationOf(metadata.op);
  if (operation === undefined) return [];
  return [
    {
      resource: metadata.urn.split("::").at(-1) ?? metadata.urn,
      kind: metadata.type.split(":").at(-1) ?? metadata.type,
      operation,
      properties: operation === "update" || operation === "replace" ? changedProperties(metadata.old?.inputs ?? {}, metadata.new?.inputs ?? {}) : [],
    },
  ];
}

function changedProperties(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): PropertyChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)].filter((name) => name !== "__provider"));
  return [...names].flatMap((name) => leafChanges(name, before[name], after[name]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Goes down to what really differs: one port, not all of them. */
function leafChanges(property: string, before: unknown, after: unknown): PropertyChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isRecord(before) && isRecord(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) => leafChanges(`${property}.${name}`, before[name], after[name]));
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((value: unknown, index) => leafChanges(`${property}[${index}]`, value, after[index]));
  }
  return [{ property, before, after: after === unknownValue ? "(known after up)" : after }];
}

export function countByOperation(changes: readonly PlannedChange[]): Readonly<Record<PlannedOperation, number>> {
  const count = (wanted: PlannedOperation) => changes.filter(({ operation }) => operation === wanted).length;
  return { replace: count("replace"), delete: count("delete"), update: count("update"), create: count("create"), same: count("same") };
}
