/** What a column can hold of a person, or of an organisation's secrets. */
export type DataKind =
  | "email"
  | "phone"
  | "first-name"
  | "last-name"
  | "full-name"
  | "login"
  | "address"
  | "city"
  | "postcode"
  | "company"
  | "url"
  | "ip"
  | "mac"
  | "card"
  | "iban"
  | "identity-number"
  | "secret"
  | "birth-date"
  | "position"
  | "income"
  | "special-category"
  | "free-text";

/** In the order in which they are looked for: the first that fits a name is what it says. */
const names: readonly (readonly [DataKind, RegExp])[] = [
  ["birth-date", /\b(dob|birth|born|birthday|birthdate|geburtsdatum|geburtstag|nascimento|nacimiento|naissance|deceased|death)\b/],
  ["secret", /\b(password|passwort|passwd|pwd|passphrase|secret|token|tokens|api key|apikey|access key|private key|salt|otp|totp|mfa|recovery codes?|session id|sessionid|session key|cookie|auth code|credentials?|authorization|licen[cs]e key|webhook key|pin code|pin)\b/],
  ["ip", /\b(ip|ips|ipv4|ipv6|ip addr|ip address|ipaddress|remote addr|client addr|last ip|host ip)\b/],
  ["mac", /\b(mac|mac addr|mac address|macaddress|bssid)\b/],
  ["email", /\b(email|emails|e mail|mail|mails|correo|courriel|email address)\b/],
  ["phone", /\b(phone|phones|phone number|mobile|cell|cellphone|tel|telephone|fax|msisdn|whatsapp|telefon|telefone|telemovel|handy|handynummer|telefono)\b/],
  ["card", /\b(card number|card no|cardnumber|credit card|cc number|ccnumber|pan|card last ?4|last four|last4|cvv|cvc|cvv2)\b/],
  ["iban", /\b(iban|bank account|bankaccount|account number|account no|acct no|sort code|routing number|kontonummer)\b/],
  ["identity-number", /\b(ssn|sin|social security|national id|nationalid|national insurance|nino|passport|passport no|passport number|tax id|tax number|tin|nif|nie|dni|cpf|cnp|bsn|pesel|id card|identity card|driver licen[cs]e|driving licen[cs]e|licen[cs]e number|steuernummer|steuer id|personnummer|medical record|mrn|insurance number|insurance no)\b/],
  ["first-name", /\b(first name|firstname|given name|givenname|forename|fname|vorname|prenom|primeiro nome|middle name|middlename)\b/],
  ["last-name", /\b(last name|lastname|surname|family name|familyname|lname|nachname|apellidos?|apelido|sobrenome|maiden name)\b/],
  ["login", /\b(username|user name|login|login name|nick|nickname|handle|screen name|screenname|user handle)\b/],
  ["full-name", /\b(full name|fullname|person name|real name|display name|displayname|customer name|client name|contact name|contact person|recipient|recipient name|cardholder|card holder|account holder|holder name|donor name|author name|patient name|employee name|guest name|owner name|sender name|billing name|shipping name|signed by|next of kin)\b/],
  ["postcode", /\b(zip|zipcode|zip code|postal code|postalcode|postcode|post code|plz|codigo postal|cep)\b/],
  ["address", /\b(address|addresses|address line|street|street name|street address|addr|strasse|adresse|morada|direccion|endereco|indirizzo|house number|hausnummer)\b/],
  ["city", /\b(city|town|locality|municipality|stadt|ville|ciudad|cidade|birthplace|place of birth)\b/],
  ["company", /\b(company|company name|employer|employer name|organi[sz]ation name|firm name|school name|business name|firma)\b/],
  ["position", /\b(latitude|longitude|lat|lng|lon|geo|geolocation|coordinates|coords|gps|home location)\b/],
  ["income", /\b(salary|salaries|income|wage|wages|net worth|credit limit|credit score|gehalt|salario)\b/],
  ["special-category", /\b(gender|sex|religion|ethnicity|ethnic|race|nationality|citizenship|marital status|diagnosis|diagnoses|disease|illness|allergies|allergy|blood type|blood group|disability|political|sexual orientation|pregnan(t|cy)|medication|biometric)\b/],
  ["url", /\b(url|uri|website|homepage|web site|avatar|linkedin|facebook|twitter|instagram|profile link|photo|picture)\b/],
  ["free-text", /\b(bio|biography|about|about me|comment|comments|note|notes|remark|remarks|message|messages|feedback|review|memo|transcript|body|free text|freetext|answer|answers|observations?|bemerkung|observacoes|user agent|useragent)\b/],
];

/** Words that say that a column is about the thing, and not the thing: `email_template`, `phone_verified`. */
const about = /\b(count|type|kind|status|state|verified|confirmed|enabled|template|subject line|format|required|allowed|id|ids|at|on|sent|flag|mode|version|provider|domain|category|level|length|size|expires|expiry|attempts|policy|currency|country|prefix|suffix|ref|checksum|etag|algorithm|hint|limit count|quota|rate|server|host|port|queue|label|colou?r)$/;

/** Names that end in such a word and are the thing all the same. */
const wholeNames = /\b(national id|nationalid|tax id|session id|sessionid|steuer id|marital status|pin code|postal code|zip code|post code)$/;

/** `donorEmail`, `DONOR_E-MAIL` → `donor email`, `donor e mail`. */
export function wordsOf(name: string): string {
  return name
    .normalize("NFKD")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll("ß", "ss")
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1 $2")
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim()
    .toLowerCase();
}

/** What a column's name says it holds, or nothing. */
export function kindByName(name: string): DataKind | undefined {
  const words = wordsOf(name);
  const said = names.find(([, pattern]) => pattern.test(words))?.[0];
  const ends = about.test(words) && !wholeNames.test(words);
  return said === undefined || ends ? undefined : said;
}

/** What a comment says, a general word for personal data included. */
export function kindByComment(comment: string | undefined): DataKind | "personal" | undefined {
  if (comment === undefined) return undefined;
  const words = wordsOf(comment);
  if (/\b(no|not|non|without|never) (pii|personal|sensitive)/.test(words)) return undefined;
  const personal = /\b(pii|personal data|personal information|personally|gdpr|sensitive|confidential|private|personenbezogen|dados pessoais)\b/.test(words);
  const short = words.split(" ").length <= 12;
  const said = short || personal ? names.find(([, pattern]) => pattern.test(words))?.[0] : undefined;
  return said ?? (personal ? "personal" : undefined);
}

/** A table whose rows are people, by its name. */
export function isAboutPeople(table: string): boolean {
  return /\b(users?|people|persons?|customers?|clients?|contacts?|employees?|staff|patients?|members?|students?|pupils?|teachers?|leads?|subscribers?|donors?|authors?|guests?|recipients?|accounts?|profiles?|applicants?|candidates?|citizens?|visitors?|drivers?|owners?|tenants?|parents?|children|passengers?|beneficiaries|voters?|kunden?|mitarbeiter|benutzer|utilizadores|clientes|usuarios)$/.test(
    wordsOf(table),
  );
}

/** Names of what is public on purpose or a machine's own. */
export function saysHarmless(name: string): boolean {
  return /\b(slug|code|sku|status|state|type|kind|category|currency|locale|language|lang|country|country code|timezone|unit|colou?r|version|checksum|digest|etag|sha|sha1|sha256|md5|commit|isbn|ean|gtin|mime|mime type|content type|extension|format|title|label|tag|tags|key name|path|route|method|level|priority|plan|role|stage|event|channel|icon|theme|currency code|model|brand|topic|queue|table name)$/.test(
    wordsOf(name),
  );
}
