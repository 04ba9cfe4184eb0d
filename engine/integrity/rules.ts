import { readFile } from "node:fs/promises";
import { z } from "zod";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { checkSeverity } from "../report/check.ts";
import { parseDocument } from "../workload/manifest.ts";
import type { Workload } from "../workload/manifest.ts";

const shared = {
  /** Names the rule in reports, for ever: `email-shape`. */
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "must be lower case words with hyphens"),
  title: z.string().min(1),
  severity: checkSeverity.default("error"),
  /** What to do when it does not hold. */
  remedy: z.string().min(1),
};

const rowsRule = z.strictObject({
  ...shared,
  /** The table it is about, as SQL writes it: `"User"`, `billing.invoice`. Without rows the rule has seen nothing, and is skipped. */
  appliesTo: z.string().min(1),
  /** A SELECT of the rows that break the rule. */
  sql: z.string().min(1),
  /** Columns of that SELECT that name a row in the evidence. Never a personal one: no other column is shown. */
  key: z.array(z.string().min(1)).min(1),
});

const bounds = z
  .strictObject({ equals: z.number().optional(), atLeast: z.number().optional(), atMost: z.number().optional() })
  .refine((value) => Object.values(value).some((bound) => bound !== undefined), { error: "must name equals, atLeast or atMost" });

const scalarRule = z.strictObject({
  ...shared,
  appliesTo: z.string().min(1),
  /** A SELECT of one number. */
  scalar: z.string().min(1),
  expect: bounds,
});

const notEmptyRule = z.strictObject({
  ...shared,
  /** A table that must hold at least one row. */
  notEmpty: z.string().min(1),
});

export const integrityRule = z.union([rowsRule, scalarRule, notEmptyRule]);
export type IntegrityRule = z.infer<typeof integrityRule>;
export type RowsRule = z.infer<typeof rowsRule>;
export type ScalarRule = z.infer<typeof scalarRule>;
export type NotEmptyRule = z.infer<typeof notEmptyRule>;

/** `integrity.yaml` of a workload. */
export const integrityDocument = z
  .strictObject({ version: z.literal(1), rules: z.array(integrityRule).min(1) })
  .superRefine(({ rules }, context) => {
    const seen = new Set<string>();
    rules.forEach(({ id }, place) => {
      if (seen.has(id)) context.addIssue({ code: "custom", path: ["rules", place, "id"], message: `"${id}" is there twice` });
      seen.add(id);
    });
  });

/**
 * The workload's integrity rules.
 * @throws UnderstudyError (exit 2) that names every wrong key.
 */
export async function loadIntegrityRules(workload: Workload): Promise<IntegrityRule[]> {
  const file = workload.path(workload.manifest.integrity);
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new UnderstudyError(`The integrity rules ${file} cannot be read: ${messageOf(cause)}.`, { exitCode: exitCode.usage, cause });
  });
  return parseDocument(integrityDocument, text, file).rules;
}
