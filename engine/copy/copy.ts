import { exitCode, UnderstudyError } from "../errors.ts";
import { displayUrl } from "../postgres/connection.ts";
import { switchDatabase, withDatabaseLock } from "../postgres/databases.ts";
import { withSession } from "../postgres/session.ts";
import { isGreen } from "../report/check.ts";
import type { CheckResult } from "../report/check.ts";
import type { ReportFiles } from "../report/report.ts";
import { writeReport } from "../report/write.ts";
import { connectionOf, replicaConnectionsOf } from "../staging/database.ts";
import { databaseNames, dropUnfinished } from "./databases.ts";
import type { DatabaseNames } from "./databases.ts";
import { fillNext } from "./fillNext.ts";
import type { Filled } from "./fillNext.ts";
import { refuseBadOptions } from "./options.ts";
import type { CopyOptions } from "./options.ts";
import { renderCopyPage } from "./page.ts";
import { withPreparedCopy } from "./prepareCopy.ts";
import type { PreparedCopy } from "./prepareCopy.ts";
import { copyReport } from "./report.ts";
import type { CopyReport } from "./report.ts";
import { removeStaleDump } from "./schemaDump.ts";
import { withSourceWatch } from "./sourceWatch.ts";
import { Stages } from "./stages.ts";
import { summarizeTables } from "./summary.ts";

export type { CopyOptions } from "./options.ts";
export type { CopyReport } from "./report.ts";
export { planCopy } from "./plan.ts";
export type { CopyPlan } from "./plan.ts";
export { rollbackCopy } from "./rollback.ts";

/**
 * Copies masked rows of the source into a new staging database, proves it, and puts it in the live one's place in a moment;
 * the live one is kept for {@link rollbackCopy}. With `dryRun`, only says what would be copied.
 *
 * A copy that a check does not find good is not switched in: its report says `failed`, and staging is as it was. So it is
 * whatever else fails and wherever the run is killed; the next run clears away what is left.
 * @throws UnderstudyError exit 2 for policies, options or a source that cannot be used, 3 when a server or a program fails,
 *   4 when the target is not staging, is the source, or a column has no rule, 130 when interrupted.
 */
export async function copyData(options: CopyOptions): Promise<{ report: CopyReport; files: ReportFiles }> {
  refuseBadOptions(options);
  const startedAt = new Date();
  const { stages, outcome } = await withSourceWatch(options.source, options.sourceBounds ?? {}, options.signal, async ({ signal, leave }) => {
    const watched = { ...options, signal };
    const stages = new Stages(options.onProgress, signal);
    const outcome =
      options.dryRun === true
        ? await withPreparedCopy(watched, stages, async (prepared) => outcomeOf(prepared, watched, undefined, [], false))
        : await copyAndSwitch(watched, stages, leave);
    return { stages, outcome };
  });
  const report = copyReport.parse({
    schema: "understudy/test-data-summary",
    version: 1,
    stack: options.stack,
    workload: options.workload.manifest.name,
    startedAt: startedAt.toISOString(),
    durationMs: Date.now() - startedAt.getTime(),
    verdict: options.dryRun === true || isGreen(outcome.checks) ? "passed" : "failed",
    dryRun: options.dryRun ?? false,
    stages: stages.times,
    ...outcome,
  } satisfies CopyReport);
  const kind = options.dryRun === true ? "test-data-plan" : "test-data-summary";
  const files = await writeReport(report, { folder: options.reportsFolder, kind, page: renderCopyPage(report), now: startedAt });
  return { report, files };
}

type Outcome = Omit<CopyReport, "schema" | "version" | "stack" | "workload" | "startedAt" | "durationMs" | "verdict" | "dryRun" | "stages">;

/** @param leaveSource called once nothing more is read of the source */
async function copyAndSwitch(options: CopyOptions, stages: Stages, leaveSource: () => void): Promise<Outcome> {
  const { staging, signal } = options;
  const names = databaseNames(staging.database);
  const settings = connectionOf(staging, "admin", "postgres");
  return withPreparedCopy(options, stages, (prepared) =>
    withSession(settings, { applicationName: "understudy copy", signal }, (maintenance) =>
      withDatabaseLock(maintenance, names.live, async () => {
        await stages.run("clear away what a killed run left", async () => {
          await dropUnfinished(maintenance, names);
          await removeStaleDump(connectionOf(staging, "admin", names.next));
        });
        let switched = false;
        try {
          const filled = await fillNext({ options, prepared, stages, names, maintenance, leaveSource });
          if (isGreen(filled.checks)) {
            await stages.run("switch", () => switchDatabase(settings, { ...names, standbys: replicaConnectionsOf(staging, "admin", "postgres") }, signal));
            switched = true;
          }
          return outcomeOf(prepared, options, filled, filled.checks, switched);
        } finally {
          if (!switched) await dropInOwnSession(options, names);
        }
      }),
    ),
  );
}

/** The run's own session may have ended with it. */
async function dropInOwnSession({ staging }: CopyOptions, names: DatabaseNames): Promise<void> {
  const settings = connectionOf(staging, "admin", "postgres");
  await withSession(settings, { applicationName: "understudy copy" }, (client) => dropUnfinished(client, names)).catch((cause: unknown) => {
    throw new UnderstudyError(`The unfinished database ${names.next} could not be dropped.`, {
      exitCode: exitCode.leftBehind,
      remedy: "The next copy drops it.",
      cause,
    });
  });
}

function outcomeOf(prepared: PreparedCopy, options: CopyOptions, filled: Filled | undefined, checks: CheckResult[], switched: boolean): Outcome {
  const tables = summarizeTables(prepared, filled?.transfers);
  const names = databaseNames(options.staging.database);
  const version = prepared.catalog.serverVersion;
  return {
    checks,
    switched,
    source: {
      url: displayUrl(options.source),
      serverVersion: `${Math.floor(version / 10_000)}.${version % 10_000}`,
      identifiedBy: `${prepared.identity.by} and database name`,
      sessions: filled?.sessions ?? 1,
      writePowers: [...prepared.powers],
    },
    target: { database: names.live, ...(switched ? { previous: names.previous } : {}) },
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    bytes: tables.reduce((sum, { bytes }) => sum + bytes, 0),
    tables,
    cut: filled?.cut ?? [],
    leftOut: [
      ...(filled?.leftOut ?? []),
      ...prepared.catalog.foreignTables.map((name) => `rows of foreign table ${name}`),
      ...prepared.catalog.extensionTables.map((name) => `rows of an extension's table ${name}`),
      ...largeObjectsLeftOut(prepared),
    ],
    probes: filled?.probes ?? [],
    unprobed: filled?.unprobed ?? [],
  };
}

function largeObjectsLeftOut({ catalog, largeObjects: { rule, oids } }: PreparedCopy): string[] {
  const left = catalog.largeObjects - oids.length;
  return [
    ...(left > 0 ? [`${left} large object(s)${rule === "leaveOut" ? "" : " that no copied row refers to"}`] : []),
    ...(rule === "empty" && oids.length > 0 ? [`what ${oids.length} large object(s) hold`] : []),
  ];
}
