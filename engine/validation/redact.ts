import type { KnownSecret } from "./target.ts";

/** Too short to be replaced without harm to other text. */
const shortest = 4;

/** Replaces every known secret, also in its URL form, in all text of a value. A net under checks that never show one. */
export function redact<Value>(value: Value, secrets: readonly KnownSecret[]): Value {
  const needles = [...new Set(secrets.flatMap(({ value }) => [value, encodeURIComponent(value)]))]
    .filter((needle) => needle.length >= shortest)
    .sort((left, right) => right.length - left.length);
  return walk(value, (text) => needles.reduce((result, needle) => result.replaceAll(needle, "[secret]"), text)) as Value;
}

function walk(value: unknown, clean: (text: string) => string): unknown {
  if (typeof value === "string") return clean(value);
  if (Array.isArray(value)) return value.map((item) => walk(item, clean));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [clean(key), walk(item, clean)]));
  }
  return value;
}
