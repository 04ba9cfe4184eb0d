import { readFile } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";

const relativePath = z.string().min(1).refine((path) => !isAbsolute(path) && !path.split("/").includes(".."), {
  error: "must be a path inside the workload's folder",
});

/** A program and its arguments; nothing is expanded: for that, `[sh, -c, …]`. */
const command = z.array(z.string().min(1)).min(1);

const isPattern = (text: string): boolean => {
  try {
    return new RegExp(text, "gm") instanceof RegExp;
  } catch {
    return false;
  }
};

/** A migration tool by its commands, which get DATABASE_URL and libpq's PG* variables of a clone, and MIGRATION_COUNT, in their environment. */
const migrationCommand = z.strictObject({
  /** Stands for all pending migrations together, in the report and in the expectations. */
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/).default("pending"),
  /** Applies all that is pending. */
  up: command,
  /** Takes that back: MIGRATION_COUNT migrations, where the tool goes by number. Without it there is no way back, which is reported. */
  down: command.optional(),
  /** Tells what is pending: each match of `pending` in its output, its first group or all of it, names one. */
  status: z.strictObject({ run: command, pending: z.string().refine(isPattern, { error: "must be a regular expression" }).default(String.raw`^\s*\[ \]\s+(.+?)\s*$`) }).optional(),
  /** Variables beside PATH, HOME, LANG and those of the connection. */
  environment: z.record(z.string(), z.string()).default({}),
  /** Tables in which the tool keeps what it applied. Default: those of the well-known tools. */
  bookkeeping: z.array(z.string().min(1)).optional(),
});

/** `workload.yaml`: where a workload keeps each of its parts. Every path is relative to its folder. */
export const workloadManifest = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  title: z.string().min(1),
  database: z.strictObject({
    /** SQL that builds the application's schema, in order, as production has it. */
    schema: z.array(relativePath).min(1),
    /** SQL for what staging has and production has not; idempotent. */
    staging: z.array(relativePath).min(1),
  }),
  source: z.strictObject({
    /** SQL that fills an embedded sample production; reads `current_setting('understudy.source_users')`. */
    generate: z.array(relativePath).min(1),
  }),
  copy: z.strictObject({
    /** Which rows are copied: roots, limits, virtual references. */
    subset: relativePath,
    /** How every column is treated. */
    masking: relativePath,
  }),
  migrations: z.strictObject({
    /** Plain SQL pairs; or Prisma's folder, known by its `migration_lock.toml`; or where `command` runs. */
    folder: relativePath,
    /** A tool that brings the migrations on by itself. */
    command: migrationCommand.optional(),
    /** SQL expectations of the rehearsal: what changes, what must not. */
    expectations: relativePath,
  }),
  /** Integrity rules, before and after a migration and in validation. */
  integrity: relativePath,
  app: z.strictObject({
    /** TypeScript entry of the reference app, bundled before it runs. */
    entry: relativePath,
    healthPath: z.string().startsWith("/"),
    metricsPath: z.string().startsWith("/"),
    /** Environment beyond what the stack itself provides. */
    environment: z.record(z.string(), z.string()).default({}),
  }),
  proxy: z.strictObject({
    /** Static assets, served by nginx under `/static/`, and `maintenance.html`. */
    static: relativePath,
  }),
  monitoring: z.strictObject({
    /** Prometheus alert rules. */
    rules: relativePath,
    /** promtool tests of those rules. */
    ruleTests: relativePath,
    /** Folder of Grafana dashboards as JSON, built from code by `make dashboards`. */
    dashboards: relativePath,
  }),
  /** What validation asks of this workload: routes, assets, bounds. */
  validation: relativePath,
  /** Load profiles, and the journeys that they and the smoke tests are made of. */
  load: relativePath.optional(),
});
export type WorkloadManifest = z.infer<typeof workloadManifest>;

export interface Workload {
  /** Absolute folder. */
  readonly folder: string;
  readonly manifest: WorkloadManifest;
  /** Absolute path of a part. */
  path(relative: string): string;
}

/**
 * Loads `workload.yaml` of a folder.
 * @throws UnderstudyError (exit 2) that names every wrong key at once.
 */
export async function loadWorkload(folder: string): Promise<Workload> {
  const absolute = resolve(folder);
  const file = join(absolute, "workload.yaml");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new UnderstudyError(`Workload "${folder}" has no readable ${file}: ${messageOf(cause)}.`, {
      exitCode: exitCode.usage,
      remedy: "Name a folder under workloads/, or give the path of your own.",
      cause,
    });
  }
  return {
    folder: absolute,
    manifest: parseDocument(workloadManifest, text, file),
    path: (relative) => join(absolute, relative),
  };
}

/**
 * Parses YAML against a schema.
 * @throws UnderstudyError (exit 2) that names every wrong key with its path.
 */
export function parseDocument<Schema extends z.ZodType>(schema: Schema, text: string, file: string): z.infer<Schema> {
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    throw new UnderstudyError(`${file} is not valid YAML: ${messageOf(cause)}`, { exitCode: exitCode.usage, cause });
  }
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `${issue.path.join(".") || "(document)"}: ${issue.message}`);
  throw new UnderstudyError(`${file} has ${problems.length} wrong key(s): ${problems.join("; ")}`, {
    exitCode: exitCode.usage,
    cause: result.error,
  });
}
