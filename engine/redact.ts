const mask = "•••";

/** Shorter ones would take ordinary words out of a text; no generated secret is as short. */
const shortestSecret = 6;

/**
 * A text without its secrets, in every form they commonly take there: as they are, percent-encoded, in JSON, in base64;
 * and without the password of any URL, known or not.
 */
export function redact(text: string, secrets: readonly string[] = []): string {
  const forms = new Set(secrets.filter((secret) => secret.length >= shortestSecret).flatMap(formsOf));
  let clean = text;
  for (const form of [...forms].sort((a, b) => b.length - a.length)) clean = clean.replaceAll(form, mask);
  return clean.replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s/@]+@/gi, `$1${mask}@`);
}

/**
 * The secrets among environment variables: values whose name says so, and the passwords inside URLs.
 * Ports, modes and addresses stay readable in logs.
 */
export function secretsOf(environment: Readonly<Record<string, string>>): string[] {
  return Object.entries(environment).flatMap(([name, value]) => {
    if (/pass|secret|token|credential|private|api_?key|_key$|_auth$/i.test(name)) return [value];
    const password = passwordOf(value);
    return password === undefined ? [] : [value, password];
  });
}

function formsOf(secret: string): string[] {
  return [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString("base64"),
    Buffer.from(secret).toString("base64url"),
  ];
}

function passwordOf(value: string): string | undefined {
  if (!URL.canParse(value)) return undefined;
  const { password } = new URL(value);
  return password === "" ? undefined : decodeURIComponent(password);
}
