import { transformers } from "../../masking/transformers.ts";
import type { PlainMask } from "../../masking/rule.ts";
import type { Column, Table } from "../catalog.ts";
import type { DataKind } from "./hints.ts";

/** A column's rule as masking.yaml writes it. */
export type WrittenRule = string | Readonly<Record<string, unknown>>;

const maskOf: Readonly<Partial<Record<DataKind, PlainMask>>> = {
  email: "email",
  phone: "phone",
  "first-name": "first-name",
  "last-name": "last-name",
  "full-name": "full-name",
  login: "hash",
  address: "address",
  city: "city",
  postcode: "card",
  company: "company",
  url: "url",
  ip: "ip",
  mac: "token",
  card: "card",
  iban: "token",
  "identity-number": "token",
  secret: "token",
  "free-text": "text",
};

/** Masks that two values may share. */
const fewMasks: ReadonlySet<PlainMask> = new Set(["first-name", "last-name", "full-name", "city", "company", "address", "text", "redact", "card"]);

/** The rule for text of a kind; one that fits the column's length, and stays different where it must. */
export function textRule(kind: DataKind, table: Table, column: Column): WrittenRule {
  const mask = maskOf[kind];
  if (mask === undefined) return column.notNull ? "text" : "null";
  return fitting(mask, table, column);
}

export function fitting(mask: PlainMask, table: Table, column: Column): PlainMask {
  const room = column.maxLength ?? Number.POSITIVE_INFINITY;
  const unique = table.uniqueKeys.some((key) => key.columns.includes(column.name));
  const chosen = unique && fewMasks.has(mask) && room >= (transformers.hash.minLength ?? 1) ? "hash" : mask;
  return (transformers[chosen].minLength ?? 1) <= room ? chosen : "token";
}

/** The rule for a place in JSON. */
export function leafRule(kind: DataKind): WrittenRule {
  return kind === "income" ? { mask: "number", noisePercent: 20 } : (maskOf[kind] ?? "null");
}

/** Dates of one person move together: by whom the row is about, else by its own key. */
export function dateRule(table: Table, subject: string | undefined): WrittenRule {
  const [key, ...others] = table.primaryKey;
  const by = subject ?? (others.length === 0 ? key : undefined);
  return by === undefined ? "date-shift" : { mask: "date-shift", subject: by };
}

/** The rule for numbers of a kind; undefined where they tell nothing of anybody. */
export function numberRule(kind: DataKind): WrittenRule | undefined {
  switch (kind) {
    case "income":
      return { mask: "number", noisePercent: 20 };
    case "position":
      return { mask: "number", bucket: 1 };
    case "birth-date":
      return { mask: "number", bucket: 5 };
    case "phone":
    case "card":
    case "iban":
    case "identity-number":
    case "secret":
    case "postcode":
      return { mask: "number", noisePercent: 50 };
    default:
      return undefined;
  }
}
