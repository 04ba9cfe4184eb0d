import { integerSql } from "./hashSql.ts";
import type { Transformer } from "./transformer.ts";

/** More would not fit the number that they are written from; digits before become 0. */
const mostDigits = 18;

const powersOfTen = `'{${Array.from({ length: mostDigits + 1 }, (_, power) => `1${"0".repeat(power)}`).join(",")}}'::int8[]`;
const powerOfTen = (exponent: string): string => `(${powersOfTen})[1 + ${exponent}]`;

/** How many digits a text has; cheaper than an expression that looks for them. */
const countDigits = (value: string): string => `(length(${value}) - length(translate(${value}, '0123456789', '')))`;

/** What may stand between digits, as a regular expression's bracket has it. */
const signs = " ()+./#*-";

/** The value's form as `to_char` wants it: a 0 for each digit. Only its point means more than itself there. */
const plainForm = (value: string): string => `replace(translate(${value}, '123456789', '000000000'), '.', '"."')`;
const countZeros = (form: string): string => `(octet_length(${form}) - octet_length(translate(${form}, '0', '')))`;

/**
 * The value's form (spaces, brackets, dots, signs) with other digits, whose number begins with `lead` where there are
 * at least six. Whatever is neither digit nor form becomes an x.
 */
function otherDigits(value: string, hash: string, lead: string): string {
  const form = `regexp_replace(${value}, '[^0-9${signs}]', 'x', 'g')`;
  const digits = countDigits(value);
  const used = `least(${digits}, ${mostDigits})`;
  const template = `'FM' || translate(regexp_replace(${form}, '([^0-9]+)', '"\\1"', 'g'), '123456789', '000000000')`;
  const random = integerSql(hash, 7);
  const anything = `mod(${random}, ${powerOfTen(used)})`;
  const rest = `(${used} - ${lead.length})`;
  const led = `${lead} * ${powerOfTen(rest)} + mod(${random}, ${powerOfTen(rest)})`;
  const number = lead === "" ? anything : `CASE WHEN ${digits} >= 6 THEN ${led} ELSE ${anything} END`;
  return `CASE WHEN ${digits} = 0 THEN ${form} ELSE to_char(${number}, ${template}) END`;
}

/** A country code that nobody has, so that nobody is ever called. */
const nowhere = "999";
/** So many, and 999 before the point, are a double's to the last bit. */
const bytesOfFraction = 5;

/**
 * The form stays; six digits and more begin with 999. Where nothing but digits and the usual signs is, the number is
 * one product: at half the cost of taking the value apart.
 */
export const phone: Transformer = {
  accepts: ["text"],
  injective: false,
  keepsEmpty: true,
  once: plainForm,
  sql: ({ value, hash, once = plainForm(value) }) => {
    const fraction = `${integerSql(hash, bytesOfFraction)}::float8 / ${2 ** (8 * bytesOfFraction)}`;
    const zeros = countZeros(once);
    const scale = powerOfTen(`least(${zeros}, ${mostDigits}) - ${nowhere.length}`);
    const usual = `to_char(floor(${scale} * (${nowhere} + ${fraction}))::bigint, 'FM' || ${once})`;
    const isUsual = `${value} !~ '[^0-9${signs}]' AND ${zeros} >= 6`;
    return `CASE WHEN ${isUsual} THEN ${usual} ELSE ${otherDigits(value, hash, nowhere)} END`;
  },
};

/** Six digits that no card is issued under, nine of the hash, and the check digit. */
const cardPrefix = "400000";

/** 13 digits and more become a 16-digit number of the test range that passes Luhn's check; fewer (the last four) other digits. */
export const card: Transformer = {
  accepts: ["text"],
  injective: false,
  keepsEmpty: true,
  sql: ({ value, hash }, { maxLength = Number.POSITIVE_INFINITY }) => {
    const digits = Array.from({ length: 9 }, (_, index) => `(get_byte(${hash}, ${index}) % 10)`);
    const doubled = (digit: string): string => `(2 * ${digit} - CASE WHEN ${digit} > 4 THEN 9 ELSE 0 END)`;
    const prefixSum = 8;
    const sum = digits.map((digit, index) => (index % 2 === 0 ? doubled(digit) : digit)).join(" + ");
    const number = `concat('${cardPrefix}', ${digits.join(", ")}, (10 - (${prefixSum} + ${sum}) % 10) % 10)`;
    const grouped = `CASE WHEN ${value} ~ '[ -]' THEN regexp_replace(${number}, '(.{4})(?=.)', '\\1 ', 'g') ELSE ${number} END`;
    const whole = maxLength < 16 ? otherDigits(value, hash, "") : maxLength < 19 ? number : grouped;
    return `CASE WHEN ${countDigits(value)} >= 13 THEN ${whole} ELSE ${otherDigits(value, hash, "")} END`;
  },
};
