import { randomBytes } from "node:crypto";
import { operationsOf } from "../operations.ts";

export interface SecretInputs {
  /** Entropy in bytes. */
  readonly sizeBytes: number;
  /** Raise it for another value. */
  readonly revision: number;
}

export interface SecretOutputs {
  readonly value: string;
}

export const operations = operationsOf<SecretInputs, SecretOutputs>({
  updateOn: ["sizeBytes", "revision"],
  async create({ sizeBytes }) {
    return { id: randomBytes(8).toString("hex"), outputs: { value: randomBytes(sizeBytes).toString("base64url") } };
  },
  async read(_id, { value }) {
    return { value };
  },
});
