import type { JsonExpectation } from "./requirements.ts";

/** The value at a JSON pointer (RFC 6901), or undefined. */
export function at(document: unknown, pointer: string): unknown {
  if (pointer === "") return document;
  return pointer
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce<unknown>((value, token) => (isContainer(value) && Object.hasOwn(value, token) ? value[token] : undefined), document);
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return value === null ? "null" : typeof value;
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** What is not as expected, in words. */
export function mismatches(document: unknown, expectations: readonly JsonExpectation[]): string[] {
  return expectations.flatMap(({ pointer, equals, type, minimum, keys }) => {
    const value = at(document, pointer);
    const place = pointer === "" ? "the document" : pointer;
    const problems: string[] = [];
    if (equals !== undefined && value !== equals) problems.push(`${place} is ${shown(value)}, not ${shown(equals)}`);
    if (type !== undefined && typeName(value) !== type) problems.push(`${place} is ${shown(value)}, not of type ${type}`);
    if (minimum !== undefined) {
      const size = Array.isArray(value) ? value.length : value;
      if (typeof size !== "number") problems.push(`${place} is ${shown(value)}, not something to count`);
      else if (size < minimum) problems.push(`${place} has ${size}, fewer than ${minimum}`);
    }
    if (keys !== undefined) {
      const seen = isContainer(value) ? Object.keys(value) : [];
      if (!isContainer(value) || new Set([...seen, ...keys]).size !== keys.length || seen.length !== keys.length) {
        problems.push(`${place} has the members ${seen.join(", ") || "(none)"}, not ${keys.join(", ")}`);
      }
    }
    return problems;
  });
}
