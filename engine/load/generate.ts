import { setImmediate as yieldToEvents, setTimeout as sleep } from "node:timers/promises";
import { arrivalsOf, durationOf } from "./arrivals.ts";
import type { LoadClient } from "./client.ts";
import { runJourney } from "./journey.ts";
import type { Journey, Profile } from "./plan.ts";
import { LoadStatistics } from "./statistics.ts";
import type { Values } from "./template.ts";

export interface GeneratorOptions {
  readonly profile: Profile;
  /** Those with a weight. */
  readonly journeys: readonly Journey[];
  readonly client: LoadClient;
  /** Values for the journey with this number. */
  valuesFor(number: number): Values;
  /** Session for the journey with this number; nothing where none is wanted. */
  cookieFor(number: number): string | undefined;
  /** About once a second. */
  onSecond?(statistics: LoadStatistics, elapsedMs: number): void;
  readonly signal?: AbortSignal | undefined;
}

/** How many that are due may wait before others are given up: as many as in ten seconds, bounded. */
const mostWaiting = 20_000;
/** Who is behind goes on starting what is due, but lets answers come in between. */
const longestTurnMs = 5;

/**
 * Starts journeys when they are due, whatever the server does, and waits for those under way at the end. A journey that is due while
 * too many are under way starts late, and its wait is part of its latency: a stall is not left out of the figures.
 * @throws the signal's reason when interrupted.
 */
export async function generate(options: GeneratorOptions): Promise<LoadStatistics> {
  const { profile, journeys, signal } = options;
  const startedAt = performance.now();
  const statistics = new LoadStatistics(startedAt, durationOf(profile.stages));
  const next = inTurn(journeys);
  const waiting = new Waiting();
  const underWay = new Set<Promise<void>>();
  let number = 0;

  const start = (dueAt: number): void => {
    const journey = next();
    const own = number;
    number += 1;
    const cookie = journey.signedIn ? options.cookieFor(own) : undefined;
    const run = runJourney(journey, { client: options.client, values: options.valuesFor(own), cookie, dueAt, patient: false, record: (sample) => statistics.note(sample) });
    const ended = run.finally(() => {
      underWay.delete(ended);
      if (waiting.size > 0 && signal?.aborted !== true) start(waiting.take());
    });
    underWay.add(ended);
  };

  let turnBegunAt = startedAt;
  const ticker = every(1_000, () => options.onSecond?.(statistics, performance.now() - startedAt));
  try {
    for (const dueMs of arrivalsOf(profile.stages, requestsPerJourney(journeys))) {
      const dueAt = startedAt + dueMs;
      // A timer is a millisecond late at best: what is due within one is started now.
      const wait = dueAt - performance.now();
      if (wait > 1 || performance.now() - turnBegunAt > longestTurnMs) {
        await (wait > 1 ? sleep(wait, undefined, { signal }) : yieldToEvents());
        turnBegunAt = performance.now();
      }
      signal?.throwIfAborted();
      if (underWay.size < profile.concurrency) {
        statistics.lateness.add(Math.max(0, performance.now() - dueAt));
        start(dueAt);
      } else if (waiting.size < mostWaiting) {
        waiting.add(dueAt);
      } else {
        statistics.notSent += 1;
      }
    }
    while (underWay.size > 0) {
      await Promise.race(underWay);
      signal?.throwIfAborted();
    }
  } finally {
    ticker.stop();
  }
  return statistics;
}

/** Requests that a journey makes on average, by weight. */
export function requestsPerJourney(journeys: readonly Journey[]): number {
  const weights = journeys.reduce((sum, { weight }) => sum + weight, 0);
  return journeys.reduce((sum, { weight, steps }) => sum + weight * steps.length, 0) / weights;
}

/** Journeys in turn by their weights, evenly mixed: always the one that is owed most. */
function inTurn(journeys: readonly Journey[]): () => Journey {
  const total = journeys.reduce((sum, { weight }) => sum + weight, 0);
  const owed = journeys.map(() => 0);
  return () => {
    let chosen = 0;
    for (const [index, { weight }] of journeys.entries()) {
      owed[index] = (owed[index] ?? 0) + weight;
      if ((owed[index] ?? 0) > (owed[chosen] ?? 0)) chosen = index;
    }
    owed[chosen] = (owed[chosen] ?? 0) - total;
    const journey = journeys[chosen];
    if (journey === undefined) throw new Error("there is no journey to make");
    return journey;
  };
}

/** First in, first out; taking does not move what stays. */
class Waiting {
  #times: number[] = [];
  #first = 0;

  get size(): number {
    return this.#times.length - this.#first;
  }

  add(dueAt: number): void {
    this.#times.push(dueAt);
  }

  take(): number {
    const dueAt = this.#times[this.#first] ?? 0;
    this.#first += 1;
    if (this.#first > 1_000 && this.#first * 2 > this.#times.length) {
      this.#times = this.#times.slice(this.#first);
      this.#first = 0;
    }
    return dueAt;
  }
}

function every(intervalMs: number, action: () => void): { stop(): void } {
  const timer = setInterval(action, intervalMs);
  return { stop: () => clearInterval(timer) };
}
