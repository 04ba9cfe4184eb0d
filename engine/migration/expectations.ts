import { z } from "zod";

const identifier = z.string().regex(/^[a-z][a-z0-9-]*$/, { error: "lower case, digits and hyphens, as in `learners-converted`" });
const sql = z.string().trim().min(1);
const severity = z.enum(["error", "warning", "info"]);
const category = z.enum(["prerequisites", "logic", "integrity", "rollback", "performance", "edge-cases"]);

/** Holds when `sql` returns no row. Each row is a violation; its first column names it in the evidence. */
export const rule = z.strictObject({
  id: identifier,
  title: z.string().min(1),
  sql,
  /** Returns one number, the rows the rule speaks about; the rule is errored when it is 0, for it would hold of nothing. */
  covers: sql.optional(),
  severity: severity.default("error"),
  remedy: z.string().min(1).default("Correct the migration, or the rule in the workload's expectations."),
});
export type Rule = z.infer<typeof rule>;

/** Query results kept from before a migration, as temporary tables `before_<name>` for rules to join. */
const capture = z.record(z.string().regex(/^[a-z][a-z0-9_]*$/), sql);

/** One step of a scenario; exactly one key. */
const step = z.union([
  /** Runs SQL and expects it to change or return at least one row. */
  z.strictObject({ sql, as: z.enum(["owner", "app"]).default("owner"), mayDoNothing: z.boolean().default(false) }),
  z.strictObject({ capture }),
  /** Applies the migration. `fails` passes the step only when the server refuses it and nothing is left of it. */
  z.strictObject({ migrate: z.enum(["up", "down"]), fails: z.boolean().default(false) }),
  /**
   * Runs SQL in a transaction that stays open while the next migrate step runs, and commits `forMs` later, once the migration waits for it or 2 s more have passed. It begins before the
   * migration does, or right before its first statement that contains `before`: a statement that locks the table would else
   * wait it out, and nothing would happen at the same time.
   */
  z.strictObject({ hold: sql, as: z.enum(["owner", "app"]).default("app"), forMs: z.int().positive().max(5_000).default(150), before: z.string().min(1).optional() }),
  z.strictObject({ expect: z.array(rule).min(1) }),
]);
export type Step = z.infer<typeof step>;

const scenario = z.strictObject({
  id: identifier,
  category: category.default("edge-cases"),
  title: z.string().min(1),
  steps: z.array(step).min(2),
});
export type Scenario = z.infer<typeof scenario>;

/** Rows or columns of one table that the migration may change; everything else must keep its checksum. */
const change = z.strictObject({
  /** As PostgreSQL writes it: `"User"`, `billing.invoice`; without a schema, `public`. */
  table: z.string().min(1),
  /** Columns whose values may change in rows that stay. */
  columns: z.array(z.string().min(1)).default([]),
  /** Whether rows may come or go. */
  rows: z.array(z.enum(["insert", "delete"])).default([]),
});
export type Change = z.infer<typeof change>;

const reader = z.strictObject({
  name: identifier,
  /** Rows of one column: values for `$1`, as text. Without it the query takes no parameter. */
  keys: sql.optional(),
  sql,
});

const writer = z.strictObject({
  name: identifier,
  /** Rows of one column: values for `$1`, as text. Without it every write gets a fresh UUID, for inserts. */
  keys: sql.optional(),
  /** Takes `$1`, the key, and `$2`, a token as text that must be readable later. */
  sql,
  /** Takes `$1`; returns the token last written there. */
  readBack: sql,
});
export type Writer = z.infer<typeof writer>;

const migrationExpectations = z.strictObject({
  /** Returns one boolean: true when staging has this migration already. */
  appliedWhen: sql.optional(),
  /** What may change; derived from the file's statements when left out. */
  changes: z.array(change).optional(),
  capture: capture.default({}),
  /** Shown side by side before and after, two columns: name and figure. */
  figures: z.array(z.strictObject({ title: z.string().min(1), sql })).default([]),
  /** Hold after up, in category logic. */
  afterUp: z.array(rule).default([]),
  /** Hold after up and down, in category rollback. */
  afterDown: z.array(rule).default([]),
  scenarios: z.array(scenario).default([]),
  /** Columns that a rollback need not bring back, such as a time of last change. */
  notRestored: z.array(z.strictObject({ table: z.string().min(1), columns: z.array(z.string().min(1)).min(1), reason: z.string().min(1) })).default([]),
  /** Checks whose failure is known and accepted. */
  accept: z.array(z.strictObject({ check: z.string().regex(/^[a-z-]+\.[a-z0-9-]+$/), reason: z.string().min(1) })).default([]),
});
export type MigrationExpectations = z.infer<typeof migrationExpectations>;

const bounds = z.strictObject({
  /** A standard query, median of its runs. */
  standardQueryMs: z.number().positive().default(100),
  /** A lock that stops readers or writers, held on a table that was there before. */
  lockHoldMs: z.number().positive().default(500),
  /** One request of the live traffic, waiting for the migration. */
  stallMs: z.number().positive().default(500),
  /** The migration waiting for somebody else's lock, at once. */
  lockWaitMs: z.number().positive().default(2_000),
  /** One direction, as measured and as extrapolated. */
  migrationMs: z.number().positive().default(600_000),
});
export type Bounds = z.infer<typeof bounds>;

/** `migrations/expectations.yaml` of a workload: what a migration should do, in SQL, so that the engine names no table. */
export const expectationsDocument = z.strictObject({
  /** Table on staging for one row per check, such as `staging_migrations.test_results`; none written without it. */
  results: z.string().optional(),
  bounds: bounds.prefault({}),
  /** Checked on staging itself, read only. */
  prerequisites: z.array(rule).default([]),
  standardQueries: z.array(z.strictObject({ id: identifier, title: z.string().min(1), sql })).default([]),
  /** Live traffic during the migration, as the application's role; derived from the catalog when left out. */
  traffic: z.strictObject({ readers: z.array(reader).default([]), writers: z.array(writer).default([]) }).optional(),
  /** Adds about `$1` rows of the kind the migration changes, to measure how its time grows. */
  grow: z.strictObject({ sql, count: sql, rows: z.array(z.int().positive()).min(2).default([2_000, 10_000]) }).optional(),
  migrations: z.record(z.string(), migrationExpectations).default({}),
});
export type Expectations = z.infer<typeof expectationsDocument>;

/** Expectations of one migration, all defaults when the document says nothing about it. */
export function expectationsOf(document: Expectations, migration: string): MigrationExpectations {
  return document.migrations[migration] ?? migrationExpectations.parse({});
}
