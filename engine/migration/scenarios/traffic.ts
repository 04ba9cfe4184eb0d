import { setTimeout as sleep } from "node:timers/promises";
import { failed, noneOf, passed, Pointless, skipped } from "../board.ts";
import type { CheckDefinition, Outcome } from "../board.ts";
import { migrate, withClone, withRole } from "../context.ts";
import type { Migrated, RehearsalContext } from "../context.ts";
import { summariseSlices } from "../page/slices.ts";
import type { Slice } from "../page/slices.ts";
import { describeRefusal } from "../run/apply.ts";
import { namedRelations } from "../source/scope.ts";
import { stagingRoles } from "../../staging/database.ts";
import { isBreakage, Traffic } from "../traffic/traffic.ts";
import type { JournalVerdict } from "../traffic/journal.ts";
import { summarise } from "../traffic/kinds.ts";
import type { LatencySummary, Request } from "../traffic/kinds.ts";
import { trafficQueries } from "../traffic/queries.ts";
import type { Cycle } from "./cycle.ts";
import type { Stage } from "./stage.ts";

const baselineMs = 1_000;
const tailMs = 250;

/** The migration under live traffic, for the report and its time line. Times in milliseconds from the migration's start. */
export interface TrafficRun {
  readonly up: Migrated;
  readonly baseline: LatencySummary;
  readonly during: LatencySummary;
  readonly journal: JournalVerdict;
  /** Longest wait of a request for a lock of the migration's. */
  readonly worstStallMs: number;
  /** Queries that broke, with how often. */
  readonly breakages: readonly string[];
  /** All requests, summarised: their number grows with the migration's time. */
  readonly slices: readonly Slice[];
}

const stall: CheckDefinition = { id: "performance.traffic-stall", title: "No request waits long for the migration", remedy: "Shorten what the lock covers, or set lock_timeout and retry." };
const latency: CheckDefinition = { id: "performance.traffic-latency", title: "The traffic's latency stays near its baseline", severity: "warning", remedy: "Work in smaller batches with pauses; look at the time line for what coincides." };
const errors: CheckDefinition = { id: "performance.traffic-errors", title: "The running application's queries go on working", remedy: "Expand first, contract later: keep the old names until no running version uses them." };
const acknowledged: CheckDefinition = { id: "performance.acknowledged-writes", title: "No acknowledged write is lost under traffic", remedy: "Do not copy rows aside and swap: writes in between are lost. Lock the table, or keep both in step with a trigger." };
const races: CheckDefinition = { id: "edge-cases.concurrent-writes", title: "No write between the migration's statements is lost", remedy: acknowledged.remedy };

/** Readers and writers before, during and after up; then once more with pauses between the statements, where races show. */
export async function runTraffic(context: RehearsalContext, cycle: Cycle): Promise<TrafficRun | undefined> {
  let result: TrafficRun | undefined;
  await context.board.group([stall, latency, errors, acknowledged], async (settle) => {
    result = await withClone(context, (clone) => underTraffic(context, cycle, clone, { baselineMs, pauseMs: 0 }));
    if (result === undefined) for (const { id } of [stall, latency, errors, acknowledged]) settle(id, skipped("No table has rows and a key to make traffic on, and the workload declares none."));
    else settleTraffic(context, result, settle);
  }, { signal: context.signal });
  return result;
}

/** See {@link runTraffic}; needs no quiet machine. */
export async function runRaces(context: RehearsalContext, cycle: Cycle, stage: Stage): Promise<void> {
  await context.board.group([races], async (settle) => {
    const pauseMs = Math.min(40, 1_000 / Math.max(1, context.migration.up.statements.length));
    let run: TrafficRun | undefined;
    await stage.use("before", async (clone) => {
      run = await underTraffic(context, cycle, clone, { baselineMs: 100, pauseMs });
      return "unknown";
    });
    if (run === undefined) settle(races.id, skipped("No table has rows and a key to make traffic on, and the workload declares none."));
    else settle(races.id, journalOutcome(run.journal));
  }, { signal: context.signal });
}

async function underTraffic(context: RehearsalContext, cycle: Cycle, clone: string, timing: { readonly baselineMs: number; readonly pauseMs: number }): Promise<TrafficRun | undefined> {
  const { before } = cycle;
  if (before === undefined || cycle.afterUp === undefined) throw new Pointless("Needs logic.up-applies, which failed.");
  const filled = before.tables.filter(({ name }) => (before.rows.get(name) as { rows?: number } | undefined)?.rows !== 0);
  const queries = await withRole(context, clone, "owner", (owner) => trafficQueries(owner, context.document, filled, namedRelations(context.migration.up), stagingRoles.app));
  if (queries.length === 0) return undefined;
  const traffic = await Traffic.start({ settings: context.clones.settings(clone, "app"), queries });
  try {
    const startedAt = performance.now();
    await sleep(timing.baselineMs);
    const up = await migrate(context, clone, "up", {
      trace: timing.pauseMs === 0,
      beforeStatement: async () => {
        if (timing.pauseMs > 0) await sleep(timing.pauseMs);
      },
    });
    await sleep(timing.pauseMs > 0 ? 50 : tailMs);
    await traffic.stop();
    const journal = await withRole(context, clone, "owner", (owner) => traffic.journal.verify(owner));
    const zero = up.startedAt;
    return {
      up,
      baseline: summarise(traffic.between(startedAt + 100, up.startedAt - 20)),
      during: summarise(traffic.between(up.startedAt - 20, up.endedAt + tailMs)),
      journal,
      worstStallMs: Math.max(0, ...(up.samples?.waits ?? []).filter(({ isMigration, behindMigration }) => !isMigration && behindMigration).map(({ fromMs, toMs }) => toMs - fromMs)),
      slices: summariseSlices(traffic.requests.map((request) => ({ kind: request.kind, dueMs: request.dueAt - zero, latencyMs: request.endedAt - request.dueAt, failed: isBreakage(request) })), up.endedAt - zero),
      breakages: breakagesOf(traffic.requests),
    };
  } finally {
    await traffic.stop();
  }
}

function settleTraffic(context: RehearsalContext, run: TrafficRun, settle: (id: string, outcome: Outcome) => void): void {
  const { stallMs } = context.document.bounds;
  const { baseline, during, worstStallMs, up } = run;
  if (!up.succeeded) throw new Error(`under traffic, up was refused: ${describeRefusal(up.refusal)}`);
  const resolution = `sampled every ${(up.samples?.resolutionMs ?? 0).toFixed(0)} ms`;
  const stalled = `Longest wait for a lock of the migration's: ${Math.round(worstStallMs)} ms (${resolution}); slowest request ${Math.round(during.worstMs)} ms.`;
  settle(stall.id, worstStallMs > stallMs ? failed(stalled) : passed(stalled));
  const bound = Math.max(100, baseline.p99Ms * 5);
  const compared = `p99 ${during.p99Ms.toFixed(1)} ms during, ${baseline.p99Ms.toFixed(1)} ms before, over ${during.requests} and ${baseline.requests} requests.`;
  settle(latency.id, during.p99Ms > bound ? failed(compared) : passed(compared));
  settle(errors.id, noneOf(run.breakages, `${baseline.requests + during.requests} requests, none broken.`));
  settle(acknowledged.id, journalOutcome(run.journal));
}

function journalOutcome({ acknowledged: count, verifiedKeys, lost, unreadable }: JournalVerdict): Outcome {
  if (count === 0) return skipped("No write with a token was acknowledged: the workload declares no writers with readBack.");
  return noneOf([...lost, ...unreadable], `${count} acknowledged writes on ${verifiedKeys} keys, all there.`);
}

/** One line per query and error, with how often. */
function breakagesOf(requests: readonly Request[]): string[] {
  const broken = Map.groupBy(requests.filter(isBreakage), ({ name, error, state }) => `${name}: ${error ?? ""}${state === undefined ? "" : ` (${state})`}`);
  return [...broken].map(([text, same]) => `${text}, ${same.length} times`);
}
