import { z } from "zod";
import { reportBase } from "../report/report.ts";
import { requestsOf } from "./arrivals.ts";
import type { Profile, Step } from "./plan.ts";
import { rounded, type Durations, type LoadStatistics, type RequestStatistics } from "./statistics.ts";

const latency = z.object({ p50Ms: z.number(), p90Ms: z.number(), p95Ms: z.number(), p99Ms: z.number(), p999Ms: z.number(), maxMs: z.number(), meanMs: z.number() });

const requestFigures = z.object({
  requests: z.number(),
  failed: z.number(),
  /** From when a request was due. */
  latency,
  /** From when it was sent. */
  service: latency,
  problems: z.array(z.object({ problem: z.string(), times: z.number() })),
});
export type RequestFigures = z.infer<typeof requestFigures>;

/** `load-test-report-*.json`. */
export const loadReport = reportBase.extend({
  schema: z.literal("understudy/load-report"),
  version: z.literal(1),
  profile: z.string(),
  url: z.string(),
  /** Missing from smoke tests: there is nothing to measure in one request of each kind. */
  load: z
    .object({
      seconds: z.number(),
      asked: z.number(),
      perSecond: z.number(),
      notSent: z.number(),
      all: requestFigures,
      requests: z.array(requestFigures.extend({ name: z.string(), request: z.string() })),
      sliceMs: z.number(),
      slices: z.array(z.object({ fromMs: z.number(), requests: z.number(), failed: z.number(), p50Ms: z.number(), p99Ms: z.number(), maxMs: z.number() })),
    })
    .optional(),
});
export type LoadReport = z.infer<typeof loadReport>;
export type LoadFigures = NonNullable<LoadReport["load"]>;

/** The figures of a run for its report. */
export function loadFigures(statistics: LoadStatistics, profile: Profile, steps: ReadonlyMap<string, Step>, durationMs: number): LoadFigures {
  const { all, byStep, notSent, sliceMs } = statistics;
  return {
    seconds: rounded(durationMs / 1_000),
    asked: Math.floor(requestsOf(profile.stages)),
    perSecond: rounded((all.count - all.failed) / (durationMs / 1_000)),
    notSent,
    all: figuresOf(all),
    requests: [...byStep].map(([name, own]) => {
      const step = steps.get(name);
      return { name, request: step === undefined ? name : `${step.method} ${step.path}`, ...figuresOf(own) };
    }),
    sliceMs,
    slices: statistics.slices(),
  };
}

function figuresOf({ count, failed, latency, service, problems }: RequestStatistics): RequestFigures {
  return {
    requests: count,
    failed,
    latency: percentilesOf(latency),
    service: percentilesOf(service),
    problems: [...problems].sort(([, left], [, right]) => right - left).map(([problem, times]) => ({ problem, times })),
  };
}

function percentilesOf(durations: Durations): RequestFigures["latency"] {
  const at = (percent: number) => rounded(durations.percentile(percent));
  return { p50Ms: at(50), p90Ms: at(90), p95Ms: at(95), p99Ms: at(99), p999Ms: at(99.9), maxMs: rounded(durations.maxMs), meanMs: rounded(durations.meanMs) };
}
