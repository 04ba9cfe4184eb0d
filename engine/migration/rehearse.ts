import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { interrupted } from "../postgres/session.ts";
import type { OnProgress } from "../progress.ts";
import { isGreen } from "../report/check.ts";
import type { ReportFiles } from "../report/report.ts";
import { writeReport } from "../report/write.ts";
import { assertStaging } from "../staging/marker.ts";
import { connectionOf } from "../staging/database.ts";
import type { StagingDatabase } from "../staging/database.ts";
import { parseDocument } from "../workload/manifest.ts";
import type { Workload } from "../workload/manifest.ts";
import { Board, categories } from "./board.ts";
import { CloneSet } from "./clones/cloneSet.ts";
import type { Tally } from "./context.ts";
import { expectationsDocument, expectationsOf } from "./expectations.ts";
import type { Expectations } from "./expectations.ts";
import { renderMigrationPage } from "./page/page.ts";
import { migrationReport } from "./report.ts";
import type { MigrationReport, MigrationSection } from "./report.ts";
import { recordResults } from "./results.ts";
import { rehearseOne } from "./rehearseOne.ts";
import { openSession } from "./run/session.ts";
import { runPrerequisites } from "./scenarios/prerequisites.ts";
import { readMigrations } from "./source/read.ts";
import { recordTool } from "./tool/record.ts";

export interface RehearsalOptions {
  readonly staging: StagingDatabase;
  readonly workload: Workload;
  readonly stack: string;
  /** Where the report is written. */
  readonly reportsFolder: string;
  /** The newest backup, for the prerequisites check. */
  readonly backupFile?: string;
  /** Categories or check ids to run; default all. */
  readonly only?: readonly string[];
  /** Categories or check ids to leave out; they are reported as skipped. */
  readonly skip?: readonly string[];
  /** Keeps the clone with all migrations applied, under a name of its own. Default false. */
  readonly keepClone?: boolean;
  /** Production's rows, to extrapolate to. Default: no extrapolation. */
  readonly targetRows?: number;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Rehearses the workload's pending migrations on clones of the staging database and writes the report. Staging itself
 * is only read, but for one row per check in the workload's results table; its sessions are ended for a moment while the
 * first clone is made. Clones are dropped at the end, those of a killed run by the next.
 * A failing rehearsal is a result: the report's verdict is `failed`.
 * @throws UnderstudyError when it could not run: exit 2 for wrong migrations or expectations, 3 for an unreachable server
 *   or a clone that could not be made, 4 for a database without staging's marker, 130 when interrupted.
 */
export async function rehearseMigrations(options: RehearsalOptions): Promise<{ report: MigrationReport; files: ReportFiles }> {
  const { staging, workload, stack, signal, onProgress } = options;
  const asked = [...(options.only ?? []), ...(options.skip ?? [])];
  refuseUnknown(asked.filter((name) => categories.every((category) => name !== category && !name.startsWith(`${category}.`))), `Categories: ${categories.join(", ")}; or a check's id, such as rollback.rows-restored.`);
  const startedAt = new Date();
  const begin = performance.now();
  onProgress({ step: "migrations", message: "reading and parsing" });
  const source = await readMigrations(workload);
  const document = await readExpectations(workload, "tool" in source ? [source.tool] : source.migrations);
  await assertStaging(connectionOf(staging, "admin"), stack, signal);

  const prerequisites = new Board(options);
  const tally = { up: { attempted: 0, succeeded: 0 }, down: { attempted: 0, succeeded: 0 } };
  const clones = await CloneSet.open(staging);
  const sections: MigrationSection[] = [];
  const checks: MigrationReport["checks"] = [];
  let keptClone: string | undefined;
  let cloneMs = 0;
  try {
    const cloned = "tool" in source ? await cloneOf(clones, options) : undefined;
    if ("tool" in source) onProgress({ step: source.tool.name, message: "recording what the tool sends" });
    const migrations = "migrations" in source ? source.migrations : [await recordTool(clones, cloned?.base ?? "", source.tool, signal)];
    onProgress({ step: "prerequisites", message: "looking at staging" });
    const pending = await runPrerequisites({ staging, stack, clones, document, migrations, backupFile: options.backupFile, board: prerequisites, signal });
    checks.push(...prerequisites.results);
    const { base, tookMs } = cloned ?? (await cloneOf(clones, options));
    cloneMs = tookMs;
    for (const [index, migration] of pending.entries()) {
      const board = new Board({ ...options, accept: expectationsOf(document, migration.name).accept, suffix: pending.length > 1 ? `@${migration.name}` : "" });
      const { section, advanced } = await rehearseOne(
        { clones, base, migration, next: pending[index + 1], document, expectations: expectationsOf(document, migration.name), workload, board, tally, targetRows: options.targetRows, onProgress, signal },
        { advance: index < pending.length - 1 || options.keepClone === true },
      );
      sections.push(section);
      checks.push(...board.results);
      if (!advanced && index < pending.length - 1) break;
    }
    checks.push(...(await ratesAsChecks(options, tally)));
    if (sections.length === pending.length && pending.length > 0) refuseUnknown(asked.filter((name) => checks.every(({ id }) => !isNamed(id, name))), `Checks: ${checks.map(({ id }) => id).join(", ")}.`);
    const rank = ({ category }: { readonly category: string }) => categories.findIndex((name) => name === category);
    checks.sort((one, other) => rank(one) - rank(other));
    if (options.keepClone === true) keptClone = await clones.keep(base);
  } finally {
    onProgress({ step: "clone", message: "dropping the clones" });
    const left = await clones.close();
    if (left.length > 0) onProgress({ step: "clone", message: `left for the next run to drop: ${left.join("; ")}` });
  }
  if (signal?.aborted === true) throw interrupted("The migration rehearsal");

  const runId = randomUUID();
  const { server, databaseSizeBytes } = await aboutServer(staging);
  const report: MigrationReport = migrationReport.parse({
    schema: "understudy/migration-test-report",
    version: 1,
    stack,
    workload: workload.manifest.name,
    startedAt: startedAt.toISOString(),
    durationMs: performance.now() - begin,
    verdict: isGreen(checks) ? "passed" : "failed",
    checks,
    runId,
    server,
    databaseSizeBytes,
    cloneMs,
    ...(keptClone === undefined ? {} : { keptClone }),
    rates: { migrations: rateOf(tally.up), rollbacks: rateOf(tally.down) },
    migrations: sections,
  } satisfies MigrationReport);
  if (document.results !== undefined) await recordResults(staging, document.results, runId, checks);
  const files = await writeReport(report, {
    folder: options.reportsFolder,
    kind: "migration-test-report",
    page: renderMigrationPage(report, document.bounds),
    junit: true,
    now: startedAt,
  });
  onProgress({ step: "report", message: files.html });
  return { report, files };
}

/** @throws UnderstudyError (exit 2): a check that is left out by a slip of the pen is not to be taken for one that passed. */
function refuseUnknown(names: readonly string[], known: string): void {
  if (names.length === 0) return;
  throw new UnderstudyError(`--only or --skip names what is not there: ${names.join(", ")}.`, { exitCode: exitCode.usage, remedy: known });
}

/** Whether a category, a check's id, or an id without its migration stands for this check. */
function isNamed(id: string, name: string): boolean {
  return id === name || id.startsWith(`${name}.`) || id.startsWith(`${name}@`);
}

async function cloneOf(clones: CloneSet, { staging, onProgress, signal }: RehearsalOptions): Promise<{ base: string; tookMs: number }> {
  onProgress({ step: "clone", message: `copying ${staging.database}` });
  const startedAt = performance.now();
  const base = await clones.cloneStaging(signal);
  return { base, tookMs: performance.now() - startedAt };
}

async function readExpectations(workload: Workload, migrations: readonly { readonly name: string }[]): Promise<Expectations> {
  const file = workload.path(workload.manifest.migrations.expectations);
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new UnderstudyError(`The migrations' expectations ${file} cannot be read: ${messageOf(cause)}.`, { exitCode: exitCode.usage, cause });
  });
  const document = parseDocument(expectationsDocument, text, file);
  const unknown = Object.keys(document.migrations).filter((name) => !migrations.some((migration) => migration.name === name));
  if (unknown.length > 0) {
    throw new UnderstudyError(`${file} speaks of migrations that are not there: ${unknown.join(", ")}.`, {
      exitCode: exitCode.usage,
      remedy: `Known: ${migrations.map(({ name }) => name).join(", ")}.`,
    });
  }
  return document;
}

/** Document 004 asks for 100% of migrations and of rollbacks, over everything the rehearsal ran that had to succeed. */
async function ratesAsChecks(options: RehearsalOptions, tally: Readonly<Record<"up" | "down", Tally>>): Promise<MigrationReport["checks"]> {
  const board = new Board(options);
  const rates = [
    ["logic.migration-success-rate", "Every migration run succeeds", tally.up],
    ["rollback.success-rate", "Every rollback run succeeds", tally.down],
  ] as const;
  for (const [id, title, { attempted, succeeded }] of rates) {
    await board.check({ id, title, remedy: "See the checks that failed: each names the statement that was refused." }, () => {
      const evidence = `${succeeded} of ${attempted} succeeded.`;
      if (attempted === 0) return { status: "skipped", evidence: "None was run." };
      return { status: succeeded === attempted ? "passed" : "failed", evidence };
    });
  }
  return board.results;
}

function rateOf({ attempted, succeeded }: Tally): { attempted: number; succeeded: number; rate: number } {
  return { attempted, succeeded, rate: attempted === 0 ? 0 : succeeded / attempted };
}

async function aboutServer(staging: StagingDatabase): Promise<{ server: string; databaseSizeBytes: number }> {
  const client = await openSession(connectionOf(staging, "admin"), "understudy rehearsal");
  try {
    const { rows } = await client.query<{ version: string; size: string }>("SELECT current_setting('server_version') AS version, pg_database_size(current_database())::text AS size");
    return { server: `PostgreSQL ${rows[0]?.version ?? ""}`, databaseSizeBytes: Number(rows[0]?.size ?? 0) };
  } finally {
    await client.end().catch(() => {});
  }
}
