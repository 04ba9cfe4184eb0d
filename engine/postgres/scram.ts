import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { exitCode, UnderstudyError } from "../errors.ts";

const iterations = 4096;

/**
 * The SCRAM-SHA-256 verifier that PostgreSQL keeps for a password (RFC 5803). Sent in place of the password,
 * so that the password itself never reaches the server or its log.
 * @param password printable ASCII: what SASLprep leaves as it is, so that every client agrees.
 * @throws UnderstudyError (exit 2) for any other password.
 */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16), rounds: number = iterations): string {
  if (!/^[\x20-\x7e]+$/.test(password)) {
    throw new UnderstudyError("A database password must be printable ASCII and not empty.", {
      exitCode: exitCode.usage,
      remedy: "Choose another, or leave it out to have one generated.",
    });
  }
  const salted = pbkdf2Sync(password, salt, rounds, 32, "sha256");
  const hmac = (text: string): Buffer => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(hmac("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${rounds}:${salt.toString("base64")}$${storedKey}:${hmac("Server Key").toString("base64")}`;
}

/** Whether a verifier from `pg_authid` was made of this password. */
export function matchesVerifier(password: string, verifier: string | null): boolean {
  const [, rounds, salt] = /^SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$/.exec(verifier ?? "") ?? [];
  if (verifier === null || rounds === undefined || salt === undefined) return false;
  const expected = Buffer.from(scramVerifier(password, Buffer.from(salt, "base64"), Number(rounds)));
  const actual = Buffer.from(verifier);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
