import { quoteLiteral } from "../../postgres/identifier.ts";
import { commonGivenNames, commonSurnames, commonTowns } from "./wordLists.ts";

/** What sampled values are counted as; each one is SQL over a text `v`, so that values stay where they are. */
export type Detector =
  | "email"
  | "emailInside"
  | "phone"
  | "digits"
  | "phoneInside"
  | "ip"
  | "uuid"
  | "mac"
  | "url"
  | "card"
  | "cardInside"
  | "iban"
  | "ibanInside"
  | "identityNumber"
  | "secret"
  | "givenName"
  | "surname"
  | "town"
  | "address"
  | "company"
  | "position"
  | "json"
  | "sentence";

const listOf = (words: readonly string[]): string => `${quoteLiteral(`{${words.map((word) => `"${word}"`).join(",")}}`)}::text[]`;

const octet = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const phoneForms = [
  // An international number; one with brackets or at least two separators; and no date, amount or ISBN.
  String.raw`^(\+|00)[1-9][0-9 ()./-]{7,20}$`,
  String.raw`^\(?0?[0-9]{2,5}\)[ ./-]?[0-9]{3,5}[ ./-]?[0-9]{2,5}$`,
  String.raw`^0?[0-9]{2,4}[ ./-][0-9]{3}[ ./-][0-9]{3,4}$`,
];
const streetWords =
  "street|st|avenue|ave|road|rd|lane|ln|drive|dr|boulevard|blvd|square|court|straße|strasse|str|platz|weg|gasse|allee|rue|allée|chemin|calle|avenida|av|paseo|plaza|via|viale|piazza|corso|rua|travessa|largo|estrada|ulica|ul|gatan|vägen|straat|laan|row|walk|close|crescent|terrace";
const companyForms = "inc|ltd|llc|gmbh|ag|lda|bv|oy|ab|plc|corp|corporation|company|sarl|srl|spa|kg|ug|limited|s\\.a\\.";
/** Prefixes of keys that say whose they are. */
const knownSecrets = String.raw`^(\$2[abxy]?\$|\$argon2|\$pbkdf2|pbkdf2_|\$[156]\$|scrypt:|SCRAM-SHA-|eyJ[A-Za-z0-9_-]+\.|sk_|pk_|rk_|ghp_|gho_|github_pat_|glpat-|xox[abpr]-|AKIA|AIza|-----BEGIN )`;

/** The digits of a number that passes Luhn's check; NULL where there are none. */
const luhnSql = (digits: string): string => `(SELECT sum(CASE WHEN d.position % 2 = 1 THEN d.digit::int WHEN d.digit::int > 4 THEN 2 * d.digit::int - 9 ELSE 2 * d.digit::int END) % 10 = 0
    FROM regexp_split_to_table(reverse(${digits}), '') WITH ORDINALITY AS d(digit, position))`;

/** ISO 13616: the first four signs moved to the end, letters as numbers, modulo 97 is 1. */
const mod97Sql = (text: string): string => `(SELECT string_agg(CASE WHEN s.sign ~ '[A-Z]' THEN (ascii(s.sign) - 55)::text ELSE s.sign END, '' ORDER BY s.position)::numeric % 97 = 1
    FROM regexp_split_to_table(substr(${text}, 5) || left(${text}, 4), '') WITH ORDINALITY AS s(sign, position))`;

/** True where the condition holds; the second is only asked where the first holds. */
const both = (cheap: string, dear: string): string => `CASE WHEN ${cheap} THEN coalesce(${dear}, false) ELSE false END`;
const matches = (pattern: string, insensitive = false): string => `v ${insensitive ? "~*" : "~"} ${quoteLiteral(pattern)}`;
const inside = (pattern: string, condition: (found: string) => string): string =>
  `EXISTS (SELECT FROM regexp_matches(v, ${quoteLiteral(pattern)}, 'g') AS f(found) WHERE ${condition("f.found[1]")})`;
const digitsOf = (text: string): string => `regexp_replace(${text}, '[^0-9]', '', 'g')`;
const cardNumber = (text: string): string =>
  both(`length(${digitsOf(text)}) BETWEEN 13 AND 19 AND ${digitsOf(text)} ~ '^[2-6]' AND ${digitsOf(text)} !~ '^(.)\\1+$'`, luhnSql(digitsOf(text)));
const ibanNumber = (text: string): string => both(`upper(replace(${text}, ' ', '')) ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'`, mod97Sql(`upper(replace(${text}, ' ', ''))`));

/** A word of the value, in lower case, without dots and commas. */
const word = (number: number): string => `lower(trim(both '.,' FROM split_part(v, ' ', ${number})))`;
/** One to five words of letters: what a name is made of. */
const wordy = String.raw`^[^0-9@_/\\{}<>=:;!?]{2,60}$`;

/** A condition for each detector; `v` is the value, trimmed, not empty. */
export const detectors: Readonly<Record<Detector, string>> = {
  email: matches(String.raw`^[^@\s<>"(),:;]+@[^@\s.<>,;]+(\.[^@\s.<>,;]+)+$`),
  emailInside: matches(String.raw`[^@\s<>"(),:;]@[^@\s.<>,;]+\.[A-Za-z]{2,}`),
  phone: `(${phoneForms.map((form) => matches(form)).join(" OR ")}) AND length(${digitsOf("v")}) BETWEEN 7 AND 15 AND ${digitsOf("v")} !~ '^97[89]' AND v !~ '^[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}$'`,
  digits: matches(String.raw`^[0-9 ()./+-]{4,24}$`),
  phoneInside: matches(String.raw`(^|[^0-9A-Za-z])\+[1-9][0-9][0-9 ()./-]{6,16}[0-9]`),
  ip: `${matches(`^${octet}(\\.${octet}){3}(/[0-9]{1,2})?$`)} OR ${both(matches("^[0-9a-fA-F:]{2,39}(/[0-9]{1,3})?$"), "v ~ '::' OR v ~ '^([0-9a-fA-F]{1,4}:){7}'")}`,
  uuid: matches("^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"),
  mac: matches("^([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}$"),
  url: matches("^(https?|ftp)://", true),
  card: both(matches("^[0-9][0-9 -]{11,22}$"), cardNumber("v")),
  cardInside: both(matches("[0-9][0-9 -]{11,}[0-9]"), inside("(?:^|[^0-9A-Za-z-])([2-6][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{1,7})(?![0-9A-Za-z-])", cardNumber)),
  iban: ibanNumber("v"),
  ibanInside: both(matches("[A-Z]{2}[0-9]{2}"), inside("(?:^|[^0-9A-Za-z])([A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)(?![0-9A-Za-z])", ibanNumber)),
  identityNumber: matches("^[0-9]{3}-[0-9]{2}-[0-9]{4}$"),
  secret: `${matches(knownSecrets)} OR (${matches(String.raw`^[A-Za-z0-9_+/=.~-]{20,}$`)} AND v !~ '^[0-9a-fA-F]{8}-' AND v ~ '[0-9]' AND (v ~ '^[0-9a-fA-F]{24,}$' OR (v ~ '[a-z]' AND v ~ '[A-Z]')))`,
  givenName: `${matches(wordy)} AND v !~ '( .*){5}' AND ${word(1)} = ANY (${listOf(commonGivenNames)})`,
  surname: `${matches(wordy)} AND v !~ '( .*){2}' AND ${word(1)} = ANY (${listOf(commonSurnames)})`,
  town: `${matches(wordy)} AND lower(v) = ANY (${listOf(commonTowns)})`,
  address: `${matches(String.raw`^[^@{}<>=\n]{6,120}$`)} AND v ~ '[0-9]' AND v ~ '[[:alpha:]]{3}' AND ${matches(String.raw`(\m(${streetWords})\M\.?|(straße|strasse|gasse|gatan|vägen|straat|laan)\M)`, true)}`,
  company: matches(String.raw`[[:alpha:]].* (${companyForms})\.?$`, true),
  position: matches(String.raw`^\(?-?[0-9]{1,2}\.[0-9]{3,}\s*[,;]\s*-?[0-9]{1,3}\.[0-9]{3,}\)?$`),
  json: matches(String.raw`^\s*(\{.*\}|\[.*\])\s*$`),
  sentence: matches(String.raw`(\S+\s+){5}\S+`),
};

export const detectorNames = Object.keys(detectors) as Detector[];
