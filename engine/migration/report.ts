import { z } from "zod";
import { reportBase } from "../report/report.ts";

const ms = z.number();
const summary = z.object({ requests: z.int(), errors: z.int(), p50Ms: ms, p99Ms: ms, worstMs: ms });
const point = z.object({ rows: z.int(), ms });
const range = z.object({ lowMs: ms, estimateMs: ms, highMs: ms });

/** One statement as it went in the main course, traffic aside. */
export const statementReport = z.object({
  direction: z.enum(["up", "down"]),
  file: z.string(),
  line: z.int(),
  kind: z.string(),
  /** At most 2,000 characters. */
  sql: z.string(),
  /** Since the file's start. */
  startMs: ms,
  durationMs: ms,
  rows: z.int().optional(),
  /** Of the whole server, while the statement ran. */
  walBytes: z.number().optional(),
  sizeChangeBytes: z.number().optional(),
  /** Blocks of tables and indexes asked for, and those not found in shared buffers; absent for what runs outside a transaction. */
  blocks: z.object({ asked: z.number(), read: z.number() }).optional(),
  rewrites: z.array(z.string()),
  indexRebuilds: z.array(z.string()),
  scans: z.array(z.object({ relation: z.string(), rows: z.number() })),
});
export type StatementReport = z.infer<typeof statementReport>;

export const lockReport = z.object({
  /** `alone`: the main course; `traffic`: under live traffic. */
  run: z.enum(["alone", "traffic"]),
  direction: z.enum(["up", "down"]),
  relation: z.string(),
  /** As the manual writes it: `ACCESS EXCLUSIVE`. */
  mode: z.string(),
  stops: z.enum(["nobody", "writers", "readers"]),
  fromMs: ms,
  heldMs: ms,
  /** Longest that somebody else was seen waiting for the relation meanwhile; 0: nobody. */
  othersWaitedMs: ms,
  /** Line of the statement that took it, where it could be told. */
  line: z.int().optional(),
  source: z.enum(["trace", "sampler"]),
});

export const waitReport = z.object({
  run: z.enum(["alone", "traffic"]),
  who: z.string(),
  relation: z.string().optional(),
  mode: z.string(),
  fromMs: ms,
  waitedMs: ms,
  behindMigration: z.boolean(),
});

export const migrationSection = z.object({
  name: z.string(),
  withoutTransaction: z.string().optional(),
  statements: z.array(statementReport),
  /** The statement that the server refused in the main course. */
  refusal: z.object({ direction: z.enum(["up", "down"]), line: z.int(), message: z.string() }).optional(),
  locks: z.array(lockReport),
  waits: z.array(waitReport),
  /** Mean time between two looks at the locks. */
  lockResolutionMs: ms,
  schemaChanges: z.array(z.object({ change: z.string(), kind: z.string(), name: z.string() })),
  figures: z.array(z.object({ title: z.string(), rows: z.array(z.object({ name: z.string(), before: z.string(), afterUp: z.string(), afterDown: z.string() })) })),
  traffic: z
    .object({
      baseline: summary,
      during: summary,
      worstStallMs: ms,
      /** Of the file under traffic, from its first statement to its end. */
      migrationMs: ms,
      journal: z.object({ acknowledged: z.int(), verifiedKeys: z.int(), lost: z.array(z.string()), unreadable: z.array(z.string()) }),
      statements: z.array(z.object({ line: z.int(), startMs: ms, durationMs: ms })),
      /** Slowest request of each slice of time, for the time line. */
      slices: z.array(z.object({ fromMs: ms, toMs: ms, readMs: ms, writeMs: ms, requests: z.int(), failed: z.int() })),
    })
    .optional(),
  /** What ran on how many rows, and why. */
  scale: z.array(z.object({ scenarios: z.array(z.string()), rows: z.int(), why: z.string() })),
  growth: z.object({ targetRows: z.int(), durations: z.array(point), duration: range, holds: z.array(point), hold: range }).optional(),
});
export type MigrationSection = z.infer<typeof migrationSection>;

const rate = z.object({ attempted: z.int(), succeeded: z.int(), /** 0 to 1; 0 when nothing was attempted. */ rate: z.number() });

/** `migration-test-report-*.json`. */
export const migrationReport = reportBase.extend({
  schema: z.literal("understudy/migration-test-report"),
  version: z.literal(1),
  /** UUID; the same in the results table on staging. */
  runId: z.string(),
  server: z.string(),
  databaseSizeBytes: z.number(),
  cloneMs: ms,
  /** Name of the clone that was kept. */
  keptClone: z.string().optional(),
  rates: z.object({ migrations: rate, rollbacks: rate }),
  migrations: z.array(migrationSection),
});
export type MigrationReport = z.infer<typeof migrationReport>;
