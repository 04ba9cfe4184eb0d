import { z } from "zod";
import { checkResult } from "./check.ts";

/**
 * What every report in `staging-backups/` shares. A report kind extends it with its own `schema` literal,
 * `version` and sections: `reportBase.extend({ schema: z.literal("understudy/validation-report"), ... })`.
 */
export const reportBase = z.object({
  schema: z.string(),
  /** Raised when a field changes its meaning or goes away. */
  version: z.int().positive(),
  stack: z.string(),
  workload: z.string(),
  /** ISO 8601, UTC. */
  startedAt: z.iso.datetime(),
  durationMs: z.number().nonnegative(),
  /** `passed` only when every check that must hold was seen to hold. */
  verdict: z.enum(["passed", "failed"]),
  checks: z.array(checkResult),
});
export type ReportBase = z.infer<typeof reportBase>;

/** The paths of one run's files, absolute. */
export interface ReportFiles {
  readonly json: string;
  readonly html: string;
  readonly junit?: string;
}
