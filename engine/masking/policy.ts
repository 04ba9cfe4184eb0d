import { readFile } from "node:fs/promises";
import { z } from "zod";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { parseDocument } from "../workload/manifest.ts";
import type { Workload } from "../workload/manifest.ts";
import { columnRule } from "./rule.ts";

const tableRule = z
  .strictObject({
    /** The table's rows stay in production; the table itself is made, empty. */
    leaveOut: z.literal(true).optional(),
    columns: z.record(z.string().min(1), columnRule).optional(),
  })
  .refine((rule) => (rule.leaveOut === true) !== (rule.columns !== undefined), {
    error: "needs either columns or leaveOut: true",
  });

/** `keep`: byte for byte; `empty`: made, holding nothing, so that what refers to them finds them; `leaveOut`: not made. */
const largeObjectRule = z.enum(["keep", "empty", "leaveOut"]);
export type LargeObjectRule = z.infer<typeof largeObjectRule>;

/** `masking.yaml`: how every column of every table is treated. A table is named `Table` in schema public, else `schema.Table`. */
export const maskingPolicy = z.strictObject({
  version: z.literal(1),
  tables: z.record(z.string().min(1), tableRule),
  /** Large objects, which are in no column; needed where the source has some. */
  largeObjects: largeObjectRule.optional(),
});
export type MaskingPolicy = z.infer<typeof maskingPolicy>;

/**
 * Reads the workload's masking policy.
 * @throws UnderstudyError (exit 2) that names every wrong key at once.
 */
export async function loadMaskingPolicy(workload: Workload): Promise<MaskingPolicy> {
  const file = workload.path(workload.manifest.copy.masking);
  return parseDocument(maskingPolicy, await readPolicyFile(file), file);
}

/** The text of a policy file; @throws UnderstudyError (exit 2) when it cannot be read. */
export async function readPolicyFile(file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new UnderstudyError(`${file} cannot be read: ${messageOf(cause)}.`, { exitCode: exitCode.usage, cause });
  });
}
