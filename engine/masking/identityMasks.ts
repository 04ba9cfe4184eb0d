import { companies, givenNames, streets, surnames, towns } from "./dictionaries.ts";
import { entrySql, hexSql } from "./hashSql.ts";
import type { Transformer } from "./transformer.ts";

/** The domain of every masked address; it does not resolve anywhere. */
export const mailDomain = "staging.local";

const mailSuffix = `@${mailDomain}`;
const mailPrefix = "user-";
const mailDigits = 20;
/** Below 15 hexadecimal digits two users out of millions might share an address. */
const fewestMailDigits = 15;

/** `user-<20 hexadecimal digits>@staging.local`, shortened to 15 digits without prefix where a column is narrow. */
export const email: Transformer = {
  accepts: ["text"],
  injective: true,
  keepsEmpty: false,
  minLength: fewestMailDigits + mailSuffix.length,
  sql: ({ hash }, { maxLength = Number.POSITIVE_INFINITY }) => {
    const room = maxLength - mailSuffix.length;
    const prefix = room >= mailPrefix.length + mailDigits ? mailPrefix : "";
    const digits = Math.min(mailDigits, room - prefix.length);
    return `'${prefix}' || ${hexSql(hash, digits)} || '${mailSuffix}'`;
  },
};

const fromDictionaries = (sql: (hash: string) => string): Transformer => ({
  accepts: ["text"],
  injective: false,
  keepsEmpty: true,
  sql: ({ hash }, { maxLength }) => (maxLength === undefined ? sql(hash) : `left(${sql(hash)}, ${maxLength})`),
});

export const firstName = fromDictionaries((hash) => entrySql(givenNames, hash, 0));
export const lastName = fromDictionaries((hash) => entrySql(surnames, hash, 1));
export const fullName = fromDictionaries((hash) => `${entrySql(givenNames, hash, 0)} || ' ' || ${entrySql(surnames, hash, 1)}`);
export const city = fromDictionaries((hash) => entrySql(towns, hash, 2));
export const company = fromDictionaries((hash) => entrySql(companies, hash, 3));
export const address = fromDictionaries((hash) => `(1 + get_byte(${hash}, 5)) || ' ' || ${entrySql(streets, hash, 4)}`);
