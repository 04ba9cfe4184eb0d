import { integerSql } from "./hashSql.ts";
import type { Transformer } from "./transformer.ts";

/** More would not fit the number that they are written from; digits before become 0. */
const mostDigits = 18;

const powersOfTen = `'{${Array.from({ length: mostDigits + 1 }, (_, power) => `1${"0".repeat(power)}`).join(",")}}'::int8[]`;
const powerOfTen = (exponent: string): string => `(${powersOfTen})[1 + ${exponent}]`;

/** How many digits a text has; cheaper than an expression that looks for them. */
const countDigits = (value: string): string => `(length(${value}) - length(translate(${value}, '0123456789', '')))`;

/** What may stand between digits. */
const formSigns = "0-9 ()+./#*-";

/** The value's form as `to_char` wants it: a 0 for each digit. Only its point means more than itself there. */
const plainForm = (value: string): string => `replace(translate(${value}, '123456789', '000000000'), '.', '"."')`;
const countZeros = (form: string): string => `(length(${form}) - length(replace(${form}, '0', '')))`;

/**
 * The value's form (spaces, brackets, dots, signs) with other digits, whose number begins with `lead` where there are
 * at least six. Whatever is neither digit nor form becomes an x.
 * @param form {@link plainForm} of the value
 */
function otherDigits(value: string, hash: string, lead: string, form: string = plainForm(value)): string {
  const withoutSigns = `regexp_replace(${value}, '[^${formSigns}]', 'x', 'g')`;
  const digits = countDigits(value);
  const rareForm = `translate(regexp_replace(${withoutSigns}, '([^0-9]+)', '"\\1"', 'g'), '123456789', '000000000')`;
  const random = integerSql(hash, 7);
  const numberOf = (count: string): string => {
    const used = `least(${count}, ${mostDigits})`;
    const anything = `mod(${random}, ${powerOfTen(used)})`;
    if (lead === "") return anything;
    const rest = `(${used} - ${lead.length})`;
    return `CASE WHEN ${count} >= 6 THEN ${lead} * ${powerOfTen(rest)} + mod(${random}, ${powerOfTen(rest)}) ELSE ${anything} END`;
  };
  const usual = `to_char(${numberOf(countZeros(form))}, 'FM' || ${form})`;
  const rare = `CASE WHEN ${digits} = 0 THEN ${withoutSigns} ELSE to_char(${numberOf(digits)}, 'FM' || ${rareForm}) END`;
  return `CASE WHEN ${value} ~ '^[${formSigns}]*[0-9][${formSigns}]*$' THEN ${usual} ELSE ${rare} END`;
}

/** The form stays; six digits and more begin with 999, a country code that nobody has, so that nobody is ever called. */
export const phone: Transformer = {
  accepts: ["text"],
  injective: false,
  keepsEmpty: true,
  once: plainForm,
  sql: ({ value, hash, once }) => otherDigits(value, hash, "999", once),
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
