import type { CheckResult } from "../report/check.ts";
import { requestsOf } from "./arrivals.ts";
import type { Journey, Profile, Step, Targets } from "./plan.ts";
import { rounded, type Durations, type LoadStatistics, type RequestStatistics } from "./statistics.ts";

const percentiles = [
  { key: "p50Ms", label: "p50", share: "Half of all requests are", read: (latency: Durations) => latency.percentile(50) },
  { key: "p95Ms", label: "p95", share: "95 of 100 requests are", read: (latency: Durations) => latency.percentile(95) },
  { key: "p99Ms", label: "p99", share: "99 of 100 requests are", read: (latency: Durations) => latency.percentile(99) },
  { key: "maxMs", label: "longest", share: "Every request is", read: (latency: Durations) => latency.maxMs },
] as const;
type LatencyTargets = Partial<Record<(typeof percentiles)[number]["key"], number | undefined>>;

/** The generator may be so much late before its figures say more of itself than of the server. */
const mostLateMs = 100;

interface Outcome {
  readonly id: string;
  readonly category: string;
  readonly title: string;
  readonly problems: readonly string[];
  readonly evidence: string;
  readonly remedy: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Whether a run met its targets: on the whole, for each kind of request, and whether its figures are worth anything. */
export function targetChecks(statistics: LoadStatistics, profile: Profile, journeys: readonly Journey[], durationMs: number): CheckResult[] {
  const { all } = statistics;
  const steps = new Map(journeys.flatMap((journey) => journey.steps.map((step) => [step.name, step] as const)));
  const outcomes = [
    ...percentiles.flatMap((percentile) => latencyOutcome(percentile, all, profile.targets[percentile.key])),
    errorOutcome(statistics, profile.targets),
    throughputOutcome(statistics, profile, durationMs),
    ...[...steps.values()].map((step) => requestOutcome(step, statistics.byStep.get(step.name), profile.targets)),
  ];
  return [...outcomes.map(checkOf), generatorCheck(statistics)];
}

function checkOf({ id, category, title, problems, evidence, remedy, details }: Outcome): CheckResult {
  const failed = problems.length > 0;
  return {
    id,
    category,
    title,
    severity: "error",
    status: failed ? "failed" : "passed",
    evidence: failed ? `${problems.join("; ")}\n${evidence}` : evidence,
    ...(failed ? { remedy } : {}),
    durationMs: 0,
    ...(details === undefined ? {} : { details }),
  };
}

function latencyOutcome({ label, share, read }: (typeof percentiles)[number], { latency, count }: RequestStatistics, bound: number | undefined): Outcome[] {
  if (bound === undefined) return [];
  const value = read(latency);
  return [
    {
      id: `targets.latency-${label}`,
      category: "targets",
      title: `${share} answered in under ${bound} ms`,
      problems: count === 0 ? ["no request was made"] : value >= bound ? [`${label} is ${rounded(value)} ms, not under ${bound} ms`] : [],
      evidence: `${label} ${rounded(value)} ms of ${count} requests; bound ${bound} ms`,
      remedy: "See below which request it is, then request_time against upstream_response_time in the access log.",
    },
  ];
}

function errorOutcome({ all, notSent, byStep }: LoadStatistics, { errorRate }: Targets): Outcome {
  const due = all.count + notSent;
  const failed = all.failed + notSent;
  const share = due === 0 ? 1 : failed / due;
  const worst = [...byStep].filter(([, { failed }]) => failed > 0).sort(([, left], [, right]) => right.failed - left.failed);
  return {
    id: "targets.error-rate",
    category: "targets",
    title: "Requests succeed",
    problems: share > errorRate ? [`${percent(share)} failed, more than ${percent(errorRate)}`] : [],
    evidence: [
      `${failed} of ${due} requests failed (${percent(share)}); bound ${percent(errorRate)}`,
      ...worst.slice(0, 5).map(([name, { problems }]) => `${name}: ${shownProblems(problems)}`),
      ...(notSent > 0 ? [`${notSent} were never sent: too many waited already`] : []),
    ].join("\n"),
    remedy: "The requests below name what was answered; the application's log has the reasons.",
  };
}

function throughputOutcome({ all }: LoadStatistics, { stages, targets }: Profile, durationMs: number): Outcome {
  const asked = Math.floor(requestsOf(stages));
  const answered = all.count - all.failed;
  const share = asked === 0 ? 0 : answered / asked;
  const perSecond = answered / (durationMs / 1_000);
  return {
    id: "targets.throughput",
    category: "targets",
    title: "As many requests are answered as are asked",
    problems: share < targets.throughput ? [`${percent(share)} of ${asked} requests were answered as expected, less than ${percent(targets.throughput)}`] : [],
    evidence: `${answered} of ${asked} requests in ${rounded(durationMs / 1_000)} s, ${rounded(perSecond)} a second`,
    remedy: "What a journey does not reach after a failed request is missing here; else the server, or this machine, has no more to give.",
  };
}

function requestOutcome(step: Step, statistics: RequestStatistics | undefined, profileTargets: Targets): Outcome {
  const { method, path, name } = step;
  const bounds: LatencyTargets = { ...profileTargets, ...step.targets };
  const outcome = { id: `requests.${name}`, category: "requests", title: `${method} ${path}`, remedy: "See this route in the access log and its queries in database_query_duration_seconds." };
  if (statistics === undefined) return { ...outcome, problems: ["it was never made"], evidence: "The journeys that lead there ended before, or the run was too short." };
  const { latency, service, count, failed, problems } = statistics;
  const share = failed / count;
  return {
    ...outcome,
    problems: [
      ...percentiles.flatMap(({ key, label, read }) => {
        const bound = bounds[key];
        return bound !== undefined && read(latency) >= bound ? [`${label} is ${rounded(read(latency))} ms, not under ${bound} ms`] : [];
      }),
      ...(share > profileTargets.errorRate && !isSingle(failed, count) ? [`${percent(share)} failed: ${shownProblems(problems)}`] : []),
    ],
    evidence: `${count} requests: ${percentiles.map(({ label, read }) => `${label} ${rounded(read(latency))} ms`).join(", ")}; ${failed} failed`,
    details: {
      requests: count,
      failed,
      ...Object.fromEntries(percentiles.map(({ key, read }) => [key, rounded(read(latency))])),
      sentP99Ms: rounded(service.percentile(99)),
      ...(problems.size === 0 ? {} : { problems: [...problems].map(([problem, times]) => ({ problem, times })) }),
    },
  };
}

/** One failure among a hundred or more says nothing of a request: the rate of all of them is its bound. */
function isSingle(failed: number, count: number): boolean {
  return failed === 1 && count >= 100;
}

/** Errored, not failed, when the generator was late: then nothing is known of the server. */
function generatorCheck({ lateness }: LoadStatistics): CheckResult {
  const late = lateness.percentile(99);
  const kept = late < mostLateMs;
  return {
    id: "generator.on-time",
    category: "generator",
    title: "The generator itself was on time",
    severity: "error",
    status: kept ? "passed" : "errored",
    evidence: `99 % of requests were sent within ${rounded(late)} ms of when they were due; bound ${mostLateMs} ms`,
    ...(kept ? {} : { remedy: "This machine had no processor time left: ask for less, or stop what else runs. Until then the figures say little of the server." }),
    durationMs: 0,
  };
}

function shownProblems(problems: ReadonlyMap<string, number>): string {
  return [...problems]
    .sort(([, left], [, right]) => right - left)
    .slice(0, 4)
    .map(([problem, times]) => `${times} × ${problem}`)
    .join(", ");
}

function percent(share: number): string {
  return `${Math.round(share * 100_000) / 1_000} %`;
}
