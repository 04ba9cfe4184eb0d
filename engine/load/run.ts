import { exitCode, messageOf, UnderstudyError, type ExitCode } from "../errors.ts";
import { interrupted } from "../postgres/session.ts";
import type { OnProgress } from "../progress.ts";
import { isGreen, type CheckResult } from "../report/check.ts";
import type { ReportFiles } from "../report/report.ts";
import { writeReport } from "../report/write.ts";
import { createHttpClient } from "../validation/httpClient.ts";
import { redactAll } from "../validation/redact.ts";
import { secretsOf, type ValidationTarget } from "../validation/target.ts";
import type { Workload } from "../workload/manifest.ts";
import { durationOf, requestsOf } from "./arrivals.ts";
import { createLoadClient } from "./client.ts";
import { generate } from "./generate.ts";
import { requireLoopback } from "./loopback.ts";
import { renderLoadPage } from "./page.ts";
import { loadPlanOf, profileOf, type Journey, type LoadPlan, type Profile } from "./plan.ts";
import { loadFigures, type LoadFigures, type LoadReport } from "./report.ts";
import { resourceChecks } from "./resources.ts";
import { smokeChecks } from "./smoke.ts";
import type { LoadStatistics } from "./statistics.ts";
import { targetChecks } from "./targets.ts";
import { openWorld, type LoadWorld } from "./world.ts";

/** Every journey once, weight or not. */
export const smokeProfile = "smoke";

export interface LoadOptions {
  readonly target: ValidationTarget;
  readonly workload: Workload;
  /** `smoke`, or one of the workload's. */
  readonly profile: string;
  /** Where `load-test-report-*` is written. */
  readonly reportsFolder: string;
  /** All stages together take this long, in the same proportions. Default: as the profile says. */
  readonly seconds?: number | undefined;
  /** The highest rate, all stages in the same proportions. Default: as the profile says. */
  readonly requestsPerSecond?: number | undefined;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

export interface LoadResult {
  readonly report: LoadReport;
  readonly files: ReportFiles;
  /** `done`, `targetMissed` when a target was missed, `checkFailed` for a smoke test or what could not run. */
  readonly exitCode: ExitCode;
}

/**
 * Sends load to a running stack on this machine, or makes every journey of its plan once, and writes the report as JSON, HTML and JUnit.
 * Missed targets are in the report, not thrown.
 * @throws UnderstudyError exit 2 for a wrong plan, an unknown profile or a target elsewhere, exit 130 when interrupted.
 */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { target, workload, profile: name, signal } = options;
  const plan = await loadPlanOf(workload);
  const profile = name === smokeProfile ? undefined : scaled(profileOf(plan, name), options);
  const origin = await requireLoopback(target.httpsUrl);
  const startedAt = new Date();
  const start = performance.now();
  let outcome: { readonly checks: readonly CheckResult[]; readonly load?: LoadFigures };
  try {
    outcome = profile === undefined ? await smoke(plan, origin, options) : await underLoad(plan, profile, origin, options);
  } catch (error) {
    if (signal?.aborted === true) throw interrupted("The load test");
    if (error instanceof UnderstudyError) throw error;
    throw new UnderstudyError(`The load test could not run: ${messageOf(error)}.`, { exitCode: exitCode.checkFailed, remedy: "See whether the stack is up (understudy status), and the workload's load plan.", cause: error });
  }
  const checks = redactAll(outcome.checks, secretsOf(target));
  const report: LoadReport = {
    schema: "understudy/load-report",
    version: 1,
    stack: target.stack,
    workload: workload.manifest.name,
    startedAt: startedAt.toISOString(),
    durationMs: Math.round(performance.now() - start),
    verdict: isGreen(checks) ? "passed" : "failed",
    profile: name,
    url: origin.origin,
    checks: [...checks],
    ...(outcome.load === undefined ? {} : { load: outcome.load }),
  };
  const files = await writeReport(report, { folder: options.reportsFolder, kind: "load-test-report", page: renderLoadPage(report, profile), junit: true, now: startedAt });
  return { report, files, exitCode: codeOf(report) };
}

function codeOf({ verdict, checks }: LoadReport): ExitCode {
  if (verdict === "passed") return exitCode.done;
  return checks.some(({ category, status }) => status === "failed" && ["targets", "requests"].includes(category)) ? exitCode.targetMissed : exitCode.checkFailed;
}

async function smoke(plan: LoadPlan, origin: URL, { target, workload, onProgress, signal }: LoadOptions) {
  const total = plan.journeys.length;
  return inWorld({ plan, journeys: plan.journeys, target, workload, sessions: 1, signal }, { origin, connections: 4, timeoutMs: 10_000 }, async (client, world) => ({
    checks: await smokeChecks(plan.journeys, { client, world, signal, onCheck: (done, { title }) => onProgress({ step: "smoke", message: title, done, total, unit: "checks" }) }),
  }));
}

async function underLoad(plan: LoadPlan, profile: Profile, origin: URL, { target, workload, onProgress, signal }: LoadOptions) {
  const journeys = plan.journeys.filter(({ weight }) => weight > 0);
  const seconds = Math.round(durationOf(profile.stages) / 1_000);
  const connection = { origin, connections: profile.concurrency, timeoutMs: profile.timeoutMs };
  return inWorld({ plan, journeys, target, workload, sessions: plan.accounts.most, signal }, connection, async (client, world) => {
    const startedAt = performance.now();
    const show = progressOf(onProgress, seconds);
    const statistics = await generate({ profile, journeys, client, valuesFor: world.valuesFor, cookieFor: world.cookieFor, onSecond: show, signal });
    const durationMs = Math.max(performance.now() - startedAt, seconds * 1_000);
    const http = createHttpClient();
    try {
      const resources = await resourceChecks(plan.resources, { prometheusUrl: target.prometheusUrl, http, windowMs: durationMs });
      const steps = new Map(journeys.flatMap((journey) => journey.steps.map((step) => [step.name, step] as const)));
      return { checks: [...targetChecks(statistics, profile, journeys, durationMs), ...resources], load: loadFigures(statistics, profile, steps, durationMs) };
    } finally {
      await http.close();
    }
  });
}

async function inWorld<Result>(
  world: { readonly plan: LoadPlan; readonly journeys: readonly Journey[]; readonly target: ValidationTarget; readonly workload: Workload; readonly sessions: number; readonly signal: AbortSignal | undefined },
  connection: { readonly origin: URL; readonly connections: number; readonly timeoutMs: number },
  use: (client: ReturnType<typeof createLoadClient>, world: LoadWorld) => Promise<Result>,
): Promise<Result> {
  const opened = await openWorld(world);
  const client = createLoadClient(connection.origin, connection);
  try {
    return await use(client, opened);
  } finally {
    await client.close();
    await opened.close();
  }
}

/** One line a second: the rate and failures since the last, latency so far. */
function progressOf(onProgress: OnProgress, seconds: number): (statistics: LoadStatistics, elapsedMs: number) => void {
  let before = 0;
  let beforeMs = 0;
  return ({ all }, elapsedMs) => {
    const perSecond = Math.round(((all.count - before) / (elapsedMs - beforeMs)) * 1_000);
    before = all.count;
    beforeMs = elapsedMs;
    onProgress({
      step: "load",
      message: `${perSecond} requests a second, p50 ${Math.round(all.latency.percentile(50))} ms, p99 ${Math.round(all.latency.percentile(99))} ms, ${all.failed} failed, ${Math.min(seconds, Math.round(elapsedMs / 1_000))} of ${seconds} s`,
    });
  };
}

/** The profile made longer or shorter, faster or slower, its shape kept. */
export function scaled(profile: Profile, { seconds, requestsPerSecond }: { readonly seconds?: number | undefined; readonly requestsPerSecond?: number | undefined }): Profile {
  const longer = seconds === undefined ? 1 : (seconds * 1_000) / durationOf(profile.stages);
  const highest = Math.max(...profile.stages.map((stage) => stage.requestsPerSecond));
  const faster = requestsPerSecond === undefined ? 1 : requestsPerSecond / highest;
  const stages = profile.stages.map((stage) => ({ ...stage, seconds: stage.seconds * longer, requestsPerSecond: stage.requestsPerSecond * faster }));
  if (requestsOf(stages) > mostRequests) {
    throw new UnderstudyError(`That would be ${Math.round(requestsOf(stages))} requests; the most is ${mostRequests}.`, { exitCode: exitCode.usage, remedy: "Ask for fewer a second, or for less time." });
  }
  return { ...profile, stages };
}

/** A day at the highest rate that a stack on one machine is asked for. */
const mostRequests = 100_000_000;
