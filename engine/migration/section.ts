import type { Migrated } from "./context.ts";
import type { MigrationSection, StatementReport } from "./report.ts";
import { manualName, stoppedBy } from "./run/locks.ts";
import type { HeldLock } from "./run/locks.ts";
import type { Cycle } from "./scenarios/cycle.ts";
import type { Growth } from "./scenarios/growth.ts";
import type { TrafficRun } from "./scenarios/traffic.ts";
import type { Direction, Migration } from "./source/statement.ts";

type LockReport = MigrationSection["locks"][number];
type WaitReport = MigrationSection["waits"][number];

export interface SectionInputs {
  readonly migration: Migration;
  readonly cycle: Cycle;
  readonly traffic: TrafficRun | undefined;
  readonly growth: Growth | undefined;
  readonly scale: MigrationSection["scale"];
}

/** What the report says of one migration besides its checks. */
export function sectionOf({ migration, cycle, traffic, growth, scale }: SectionInputs): MigrationSection {
  const runs = [cycle.up, cycle.down].filter((run) => run !== undefined);
  return {
    name: migration.name,
    ...(migration.up.withoutTransaction === undefined ? {} : { withoutTransaction: migration.up.withoutTransaction }),
    statements: runs.flatMap((run) => statementsOf(run, run.file.direction)),
    ...refusalOf(runs),
    locks: [...runs.flatMap((run) => locksOf(run, "alone", run.file.direction)), ...(traffic === undefined ? [] : locksOf(traffic.up, "traffic", "up"))],
    waits: [...runs.flatMap((run) => waitsOf(run, "alone")), ...(traffic === undefined ? [] : waitsOf(traffic.up, "traffic"))],
    lockResolutionMs: Math.max(0, ...[...runs, ...(traffic === undefined ? [] : [traffic.up])].map((run) => run.samples?.resolutionMs ?? 0)),
    schemaChanges: cycle.schemaChanges.filter(({ kind }) => kind !== "column order").map(({ change, kind, name }) => ({ change, kind, name })),
    figures: cycle.figures.map(({ title, rows }) => ({ title, rows: [...rows] })),
    scale,
    ...(traffic === undefined ? {} : { traffic: trafficOf(traffic) }),
    ...(growth === undefined ? {} : { growth: { ...growth, durations: [...growth.durations], holds: [...growth.holds] } }),
  };
}

function refusalOf(runs: readonly Migrated[]): Pick<MigrationSection, "refusal"> {
  const refused = runs.find(({ refusal }) => refusal !== undefined);
  if (refused?.refusal === undefined) return {};
  const { statement, message } = refused.refusal;
  return { refusal: { direction: refused.file.direction, line: refused.file.statements[statement]?.line ?? 1, message } };
}

function statementsOf(run: Migrated, direction: Direction): StatementReport[] {
  const zero = run.startedAt;
  return run.runs.map(({ statement, startedAt, endedAt, rows, trace }) => ({
    direction,
    file: run.file.name,
    line: statement.line,
    kind: statement.kind,
    sql: statement.sql.slice(0, 2_000),
    startMs: startedAt - zero,
    durationMs: endedAt - startedAt,
    ...(rows === undefined ? {} : { rows }),
    ...(trace === undefined ? {} : { walBytes: trace.walBytes, sizeChangeBytes: trace.sizeChangeBytes }),
    ...(trace?.blocks === undefined ? {} : { blocks: trace.blocks }),
    rewrites: [...(trace?.rewrites ?? [])],
    indexRebuilds: [...(trace?.indexRebuilds ?? [])],
    scans: [...(trace?.scans ?? [])],
  }));
}

function locksOf(run: Migrated, name: LockReport["run"], direction: Direction): LockReport[] {
  const traced = run.tracer?.locks ?? [];
  const zeroMs = headStartMs(run);
  const seen = (lock: HeldLock) => traced.some((other) => other.relation === lock.relation && other.mode === lock.mode);
  const sampled = (run.samples?.locks ?? []).filter((lock) => !seen(lock));
  return [...traced, ...sampled]
    .filter(({ mode }) => mode !== "AccessShareLock")
    .map(({ relation, mode, fromMs, toMs, statement, source }) => {
      const line = statement === undefined ? undefined : run.file.statements[statement]?.line;
      return { run: name, direction, relation, mode: manualName(mode), stops: stoppedBy(mode), fromMs: fromMs - zeroMs, heldMs: toMs - fromMs, othersWaitedMs: waitedFor({ relation, fromMs, toMs }, run), ...(line === undefined ? {} : { line }), source };
    })
    .toSorted((one, other) => one.fromMs - other.fromMs);
}

/** Tracer and sampler begin counting before the first statement is sent. */
function headStartMs({ tracer, startedAt }: Migrated): number {
  return tracer === undefined ? 0 : startedAt - tracer.startedAt;
}

function waitedFor({ relation, fromMs, toMs }: Pick<HeldLock, "relation" | "fromMs" | "toMs">, { samples }: Migrated): number {
  const waits = (samples?.waits ?? []).filter((wait) => !wait.isMigration && wait.behindMigration && wait.relation === relation && wait.fromMs <= toMs && wait.toMs >= fromMs);
  return Math.max(0, ...waits.map((wait) => wait.toMs - wait.fromMs));
}

function waitsOf(run: Migrated, name: WaitReport["run"]): WaitReport[] {
  return (run.samples?.waits ?? []).map(({ who, relation, mode, fromMs, toMs, behindMigration }) => ({
    run: name,
    who,
    ...(relation === undefined ? {} : { relation }),
    mode: manualName(mode),
    fromMs: fromMs - headStartMs(run),
    waitedMs: toMs - fromMs,
    behindMigration,
  }));
}

function trafficOf(traffic: TrafficRun): NonNullable<MigrationSection["traffic"]> {
  const { up, baseline, during, worstStallMs, journal, slices } = traffic;
  const zero = up.startedAt;
  return {
    baseline,
    during,
    worstStallMs,
    migrationMs: up.endedAt - zero,
    journal: { ...journal, lost: [...journal.lost], unreadable: [...journal.unreadable] },
    statements: up.runs.map(({ statement, startedAt, endedAt }) => ({ line: statement.line, startMs: startedAt - zero, durationMs: endedAt - startedAt })),
    slices: [...slices],
  };
}
