import { quoteLiteral } from "../postgres/identifier.ts";
import { filler } from "./dictionaries.ts";
import { hexSql } from "./hashSql.ts";
import { mailDomain } from "./identityMasks.ts";
import type { Transformer } from "./transformer.ts";

const urlPrefix = `https://${mailDomain}/`;

export const url: Transformer = {
  accepts: ["text"],
  injective: true,
  keepsEmpty: true,
  minLength: urlPrefix.length + 15,
  sql: ({ hash }, { maxLength = Number.POSITIVE_INFINITY }) =>
    `'${urlPrefix}' || ${hexSql(hash, Math.min(20, maxLength - urlPrefix.length))}`,
};

/**
 * Addresses of networks that are nobody's: 10.0.0.0/8 and fd00::/8; for networks too large to differ in there, 240.0.0.0/4.
 * The length of a network prefix stays.
 */
export const ip: Transformer = {
  accepts: ["inet", "text"],
  injective: false,
  keepsEmpty: true,
  sql: ({ value, hash }, { family, maxLength }) => {
    const four = `concat('10.', get_byte(${hash}, 0), '.', get_byte(${hash}, 1), '.', get_byte(${hash}, 2))`;
    const six = `'fd00::' || regexp_replace(${hexSql(hash, 16)}, '(.{4})(?=.)', '\\1:', 'g')`;
    if (family === "inet") {
      const large = `concat(240 + get_byte(${hash}, 0) % 16, '.', get_byte(${hash}, 1), '.0.0')`;
      return `set_masklen(CASE WHEN family(${value}) = 6 THEN (${six})::inet WHEN masklen(${value}) < 16 THEN ${large}::inet ELSE ${four}::inet END, masklen(${value}))`;
    }
    const chosen = `CASE WHEN position(':' IN ${value}) > 0 THEN ${six} ELSE ${four} END`;
    return maxLength === undefined ? chosen : `left(${chosen}, ${maxLength})`;
  },
};

/** A version 8 UUID (RFC 9562: made as its maker likes) of the hash. */
export const uuid: Transformer = {
  accepts: ["uuid", "text"],
  injective: true,
  keepsEmpty: true,
  minLength: 36,
  sql: ({ hash }) => `overlay(overlay(${hexSql(hash, 32)} PLACING '8' FROM 13) PLACING 'a' FROM 17)::uuid`,
};

/** Hexadecimal digits, as many as the value has characters. */
export const token: Transformer = {
  accepts: ["text"],
  injective: false,
  keepsEmpty: true,
  sql: ({ value, hash }) => `rpad(encode(${hash}, 'hex'), length(${value}), encode(${hash}, 'hex'))`,
};

/** The hash itself, 64 hexadecimal digits or as many as fit; bytea as it is. */
export const hash: Transformer = {
  accepts: ["text", "bytea"],
  injective: true,
  keepsEmpty: true,
  minLength: 16,
  sql: (input, { family, maxLength = 64 }) => (family === "bytea" ? input.hash : hexSql(input.hash, Math.min(64, maxLength))),
};

/** Where each word of the filler begins, so that a mask never begins with a space. */
const wordStarts = [...filler.matchAll(/\S+/g)].map((match) => match.index);

/** Invented words, exactly as many characters as the value. */
export const text: Transformer = {
  accepts: ["text"],
  injective: false,
  keepsEmpty: true,
  sql: ({ value, hash: h }) => {
    const start = `('{${wordStarts.join(",")}}'::int[])[1 + (get_byte(${h}, 0) * 256 + get_byte(${h}, 1)) % ${wordStarts.length}]`;
    return `substr(repeat(${quoteLiteral(filler)}, length(${value}) / ${filler.length} + 2), 1 + ${start}, length(${value}))`;
  },
};

/** The text stays but for what looks like an address or a long number. Only for text that is about nobody. */
export const redact: Transformer = {
  accepts: ["text"],
  injective: false,
  keepsEmpty: true,
  sql: ({ value }, { maxLength }) => {
    const addresses = `regexp_replace(${value}, '[^[:space:]@"<>(),;:]+@[^[:space:]@"<>(),;:]+', 'redacted@${mailDomain}', 'g')`;
    const numbers = `regexp_replace(${addresses}, '[+]?[0-9][0-9 ().-]{5,}[0-9]', '0000000', 'g')`;
    return maxLength === undefined ? numbers : `left(${numbers}, ${maxLength})`;
  },
};
