import { quoteLiteral } from "../postgres/identifier.ts";

/*
 * A text as the leak scan sees it: lower case, its words without what stands between them. Only ASCII is folded and only
 * ASCII separates, so that both servers and this program cut every text alike, whatever their locales.
 */

const separators = Array.from({ length: 127 }, (_, index) => String.fromCharCode(index + 1)).filter((character) => !/[0-9A-Za-z]/.test(character));
const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Longer originals are looked for by their first words. */
export const mostTokens = 6;

/** SQL of a text's words, one space between two. */
export function normalizedSql(text: string): string {
  const from = quoteLiteral(separators.join("") + upper);
  const to = quoteLiteral(" ".repeat(separators.length) + upper.toLowerCase());
  return `btrim(regexp_replace(translate(${text}, ${from}, ${to}), ' +', ' ', 'g'))`;
}

/** SQL of the first words of a normalized text, as many as are looked for. */
export function firstTokensSql(normalized: string): string {
  return `array_to_string((string_to_array(${normalized}, ' '))[1:${mostTokens}], ' ')`;
}

// oxlint-disable-next-line no-control-regex -- every ASCII sign separates
const separator = /[\u0001-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u007F]+/;

/** The words of a text, as {@link normalizedSql} cuts them. */
export function tokensOf(text: string): string[] {
  return text
    .replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase())
    .split(separator)
    .filter((token) => token !== "");
}

const numbers = /[0-9][0-9 ().+/-]{5,}[0-9]/g;

/** Digits of everything in a text that could be a telephone or card number, seven digits and more. */
export function longNumbersOf(text: string): string[] {
  return [...text.matchAll(numbers)].map(([found]) => found.replaceAll(/\D/g, "")).filter((digits) => digits.length >= 7);
}

/** SQL of a value's digits where it is a number of that kind and nothing else, else NULL. */
export function longNumberSql(text: string): string {
  const digits = `regexp_replace(${text}, '[^0-9]', '', 'g')`;
  return `CASE WHEN ${text} ~ '^[0-9 ().+/-]+$' AND length(${digits}) >= 7 THEN ${digits} END`;
}

const addressSign = /[\s@"'<>()[\]{},;:\\/]/;

/** Email addresses in a text, found from their @; linear in its length. */
export function emailsOf(text: string): string[] {
  const found: string[] = [];
  for (let at = text.indexOf("@"); at !== -1; at = text.indexOf("@", at + 1)) {
    let start = at;
    while (start > 0 && at - start < 128 && !addressSign.test(text[start - 1] ?? " ")) start -= 1;
    let end = at + 1;
    while (end < text.length && end - at < 256 && !addressSign.test(text[end] ?? " ")) end += 1;
    const domain = text.slice(at + 1, end).replace(/\.+$/, "");
    if (start < at && /^[^.]+(\.[^.]+)+$/.test(domain)) found.push(text.slice(start, at + 1) + domain);
  }
  return found;
}
