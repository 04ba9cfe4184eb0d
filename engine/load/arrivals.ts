import type { Stage } from "./plan.ts";

/** The whole time of some stages, in milliseconds. */
export function durationOf(stages: readonly Stage[]): number {
  return stages.reduce((sum, { seconds }) => sum + seconds * 1_000, 0);
}

/** How many requests the stages ask for. */
export function requestsOf(stages: readonly Stage[]): number {
  return stages.reduce((sum, stage, index) => sum + ((startRate(stages, index) + stage.requestsPerSecond) / 2) * stage.seconds, 0);
}

function startRate(stages: readonly Stage[], index: number): number {
  const stage = stages[index];
  if (stage === undefined) return 0;
  return stage.ramp ? (stages[index - 1]?.requestsPerSecond ?? 0) : stage.requestsPerSecond;
}

/**
 * When each journey has to start, in milliseconds from the beginning, whatever the server does: an open model. Rates of requests
 * become rates of journeys by dividing by the requests that a journey makes on average.
 */
export function* arrivalsOf(stages: readonly Stage[], requestsPerJourney: number): Generator<number, void> {
  let begunMs = 0;
  /** Journeys asked for before this stage, as a fraction: the next is due when the count reaches the next whole number. */
  let asked = 0;
  let due = 0;
  for (const [index, { seconds, requestsPerSecond }] of stages.entries()) {
    const from = startRate(stages, index) / requestsPerJourney;
    const to = requestsPerSecond / requestsPerJourney;
    const total = ((from + to) / 2) * seconds;
    for (; due < asked + total; due += 1) yield begunMs + timeOf(due - asked, from, to, seconds) * 1_000;
    asked += total;
    begunMs += seconds * 1_000;
  }
}

/** The time in a stage at which its count reaches `count`: the inverse of `from·t + (to - from)·t² / 2·seconds`. */
function timeOf(count: number, from: number, to: number, seconds: number): number {
  const slope = (to - from) / seconds;
  if (Math.abs(slope) < 1e-9) return count / from;
  return (Math.sqrt(from * from + 2 * slope * count) - from) / slope;
}
