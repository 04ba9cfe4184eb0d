import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify<string, Buffer, number, Buffer>(scrypt);
const keyLength = 32;

/**
 * The password that opens every account on staging, where people's own hashes are masked. Kept as a key derived with
 * scrypt, so that every attempt costs time and a comparison tells nothing by how long it takes.
 */
export class SignInPassword {
  readonly #salt = randomBytes(16);
  readonly #key: Promise<Buffer>;

  constructor(password: string) {
    this.#key = derive(password, this.#salt, keyLength);
  }

  async matches(candidate: string): Promise<boolean> {
    return timingSafeEqual(await derive(candidate, this.#salt, keyLength), await this.#key);
  }
}
