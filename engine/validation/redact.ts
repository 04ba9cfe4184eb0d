import { redact } from "../redact.ts";
import type { KnownSecret } from "./target.ts";

/** Takes every known secret out of all text of a value, keys included. A net under checks that never show one. */
export function redactAll<Value>(value: Value, secrets: readonly KnownSecret[]): Value {
  const values = secrets.map((secret) => secret.value);
  return walk(value, (text) => redact(text, values)) as Value;
}

function walk(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === "string") return clean(value);
  if (Array.isArray(value)) return value.map((item) => walk(item, clean));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [clean(key), walk(item, clean)]));
  }
  return value;
}
