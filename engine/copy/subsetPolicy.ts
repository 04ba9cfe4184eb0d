import { z } from "zod";
import { readPolicyFile } from "../masking/policy.ts";
import { parseDocument } from "../workload/manifest.ts";
import type { Workload } from "../workload/manifest.ts";

const tableName = z.string().min(1);
const quoted = String.raw`"(?:[^"]|"")+"`;
const referencePattern = new RegExp(String.raw`^(?<table>(?:${quoted}|[^"(])+)\((?<columns>(?:${quoted}|[^"()])+)\)$`);
const columnPattern = new RegExp(String.raw`\s*(?:(?<odd>${quoted})|(?<plain>[^",]+?))\s*(?:,|$)`, "gy");
/** `Table(column)` or `schema.Table(column, column)`; names with dots, commas or brackets in double quotes. */
const reference = z.string().regex(referencePattern, { error: "must look like Table(column) or schema.Table(column, column)" });

const childRule = z.union([
  z.enum(["follow", "skip"]),
  z.strictObject({
    /** At most this many children of each parent, the first by primary key. */
    perParent: z.int().positive(),
  }),
]);
export type ChildRule = z.infer<typeof childRule>;

const root = z.strictObject({
  table: tableName,
  /** SQL over the table, named as itself. */
  where: z.string().min(1).optional(),
  /** Rows of this root, whatever the run's limit says. */
  limit: z.int().nonnegative().optional(),
  /**
   * This share of the rows, percent, chosen by a hash of the primary key: the same ones next week, however many come. The whole key
   * column is read for it. A `limit` still holds where both are written; without one there is none.
   */
  percent: z.number().positive().max(100).optional(),
  /** Columns that order the choice; default the primary key. */
  orderBy: z.array(z.string().min(1)).min(1).optional(),
  /** One row at least of each value of a column, then as many more as `atLeast` says, then in turn. */
  strata: z
    .strictObject({ by: z.string().min(1), atLeast: z.record(z.string(), z.int().positive()).default({}) })
    .optional(),
});
export type RootRule = z.infer<typeof root>;

/**
 * `subset.yaml`: which rows are copied. From the roots, parents are always taken, children as the rules say, until
 * nothing is missing. A reference is written as its child side, `Table(column)`.
 */
export const subsetPolicy = z.strictObject({
  version: z.literal(1),
  /** Rows of each root that has no limit of its own. */
  limit: z.int().positive().default(10),
  roots: z.array(root).default([]),
  children: z
    .strictObject({ default: z.enum(["follow", "skip"]).default("follow"), rules: z.record(reference, childRule).default({}) })
    .default({ default: "follow", rules: {} }),
  /** Nullable references that bring no parent: NULL in the copy where the parent was not chosen. */
  cut: z.array(reference).default([]),
  /** References the schema does not declare. Their children follow; their parents are not demanded. */
  virtualReferences: z
    .array(
      z.strictObject({
        from: reference,
        to: reference,
        /** SQL over the child, named `child`: for references that depend on a type column. */
        where: z.string().min(1).optional(),
      }),
    )
    .default([]),
  /** Tables copied whole; `all` for everything that is not left out. */
  whole: z.union([z.literal("all"), z.array(tableName)]).default([]),
});
export type SubsetPolicy = z.infer<typeof subsetPolicy>;

export interface ParsedReference {
  readonly table: string;
  readonly columns: readonly string[];
}

/** Both sides of the brackets of `Table(column, column)`. */
export function parseReference(text: string): ParsedReference {
  const groups = referencePattern.exec(text)?.groups;
  const columns = [...(groups?.["columns"] ?? "").matchAll(columnPattern)].map(({ groups: found }) => {
    const odd = found?.["odd"];
    return odd === undefined ? (found?.["plain"] ?? "") : odd.slice(1, -1).replaceAll('""', '"');
  });
  return { table: groups?.["table"] ?? text, columns };
}

/**
 * Reads the workload's subset policy.
 * @throws UnderstudyError (exit 2) that names every wrong key at once.
 */
export async function loadSubsetPolicy(workload: Workload): Promise<SubsetPolicy> {
  const file = workload.path(workload.manifest.copy.subset);
  return parseDocument(subsetPolicy, await readPolicyFile(file), file);
}
