import { z } from "zod";
import { reportBase } from "../report/report.ts";

const columnTreatment = z.object({
  column: z.string(),
  type: z.string(),
  /** In words: `kept`, `email`, `date-shift (up to 30 days, by userId)`. */
  treatment: z.string(),
  masked: z.boolean(),
  /** The column whose treatment this is, by a foreign key. */
  follows: z.string().optional(),
});

const tableSummary = z.object({
  table: z.string(),
  /** `left out`: only the empty table was made. `not reached`: no root leads to it. */
  selection: z.enum(["whole", "chosen", "not reached", "left out"]),
  rows: z.number().int().nonnegative(),
  bytes: z.number().nonnegative(),
  durationMs: z.number().nonnegative(),
  columns: z.array(columnTreatment),
});
export type TableSummary = z.infer<typeof tableSummary>;

/** `test-data-summary-*.json`: what one copy brought to staging, how it was treated and what was proved of it. */
export const copyReport = reportBase.extend({
  schema: z.literal("understudy/test-data-summary"),
  version: z.literal(1),
  /** True for a dry run: rows are what would be copied, and nothing was written. */
  dryRun: z.boolean(),
  /** True when staging now runs on this copy. */
  switched: z.boolean(),
  source: z.object({
    /** Without the password. */
    url: z.string(),
    serverVersion: z.string(),
    /** How it was told apart from the target. */
    identifiedBy: z.string(),
    sessions: z.number().int().nonnegative(),
    /** Why its role could write, where that was allowed by name. */
    writePowers: z.array(z.string()),
  }),
  target: z.object({
    database: z.string(),
    /** The database kept for `understudy copy rollback`. */
    previous: z.string().optional(),
  }),
  rows: z.number().int().nonnegative(),
  bytes: z.number().nonnegative(),
  tables: z.array(tableSummary),
  /** References set to NULL, with how many rows. */
  cut: z.array(z.object({ reference: z.string(), rows: z.number().int().nonnegative() })),
  /** What of the source's schema did not come along. */
  leftOut: z.array(z.string()),
  /** Masked columns whose originals were all looked for everywhere in the copy, but for those too short to be recognised. */
  probes: z.array(z.object({ column: z.string(), originals: z.number().int().nonnegative() })),
  /** Masked columns whose originals cannot be told from chance. */
  unprobed: z.array(z.string()),
  stages: z.array(z.object({ stage: z.string(), durationMs: z.number().nonnegative() })),
});
export type CopyReport = z.infer<typeof copyReport>;
