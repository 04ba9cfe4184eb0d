import { createHash, hkdfSync } from "node:crypto";

/** The bytes of one domain's key. */
export const keyBytes = 32;

/**
 * The key of one masking domain, from the stack's secret by HKDF-SHA-256. The source only ever sees these:
 * neither the secret nor another domain's key follows from one.
 */
export function deriveDomainKey(secret: string, domain: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "understudy masking 1", domain, keyBytes));
}

/** What the source computes for a value: SHA-256 of key, value, key. */
export function keyedHash(key: Buffer, value: string): Buffer {
  return createHash("sha256").update(key).update(value, "utf8").update(key).digest();
}

/** The server setting that holds a domain's key in a source session, hexadecimal; a custom one, gone with the session. */
export function keySetting(domain: string): string {
  return `understudy.key_${domain}`;
}
