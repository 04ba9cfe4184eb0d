import { quoteLiteral } from "../postgres/identifier.ts";
import { keySetting } from "./key.ts";

/**
 * SQL of the keyed hash of a text expression. The key is read from a setting of the session, once a statement:
 * it is in no statement text, so no statement log of the source can hold it.
 */
export function keyedHashSql(domain: string, textSql: string): string {
  const key = `(SELECT pg_catalog.decode(pg_catalog.current_setting('${keySetting(domain)}'), 'hex'))`;
  return `pg_catalog.sha256(${key} OPERATOR(pg_catalog.||) pg_catalog.convert_to(${textSql}, 'UTF8') OPERATOR(pg_catalog.||) ${key})`;
}

/** The first `digits` hexadecimal digits of a hash. */
export function hexSql(hash: string, digits: number): string {
  const bytes = Math.ceil(digits / 2);
  const hex = `encode(substr(${hash}, 1, ${bytes}), 'hex')`;
  return digits === 2 * bytes ? hex : `left(${hex}, ${digits})`;
}

/** A number of the first `bytes` bytes (at most 7) of a hash, 0 up; bigint. */
export function integerSql(hash: string, bytes: number): string {
  const parts = Array.from({ length: bytes }, (_, index) => `get_byte(${hash}, ${index})::bigint << ${8 * (bytes - 1 - index)}`);
  return `(${parts.map((part) => `(${part})`).join(" | ")})`;
}

/**
 * An entry of a dictionary of 128 or 256, chosen by one byte of a hash.
 * `name` has a fixed length, so that the entry is found without walking the array.
 */
export function entrySql(dictionary: readonly string[], hash: string, byte: number): string {
  const index = dictionary.length === 256 ? `get_byte(${hash}, ${byte})` : `(get_byte(${hash}, ${byte}) & 127)`;
  return `(${quoteLiteral(`{${dictionary.map((entry) => `"${entry}"`).join(",")}}`)}::name[])[1 + ${index}]::text`;
}
