import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import type { Sample } from "./journey.ts";

/** 2 minutes, in microseconds: above every timeout. */
const longestUs = 120_000_000;

/** Durations in an HDR histogram: of fixed size however many there are. */
export class Durations {
  readonly #histogram: RecordableHistogram;

  /** @param figures significant digits kept. */
  constructor(figures = 3) {
    this.#histogram = createHistogram({ lowest: 1, highest: longestUs, figures });
  }

  add(milliseconds: number): void {
    this.#histogram.record(Math.min(longestUs, Math.max(1, Math.round(milliseconds * 1_000))));
  }

  get count(): number {
    return this.#histogram.count;
  }

  /** In milliseconds; 0 when there is none. */
  percentile(percent: number): number {
    return this.count === 0 ? 0 : this.#histogram.percentile(percent) / 1_000;
  }

  get maxMs(): number {
    return this.count === 0 ? 0 : this.#histogram.max / 1_000;
  }

  get meanMs(): number {
    return this.count === 0 ? 0 : this.#histogram.mean / 1_000;
  }
}

/** What is counted of one kind of request. */
export class RequestStatistics {
  /** From when it was due: a server that stalls shows in every request that it kept waiting. */
  readonly latency = new Durations();
  /** From when it was sent. */
  readonly service = new Durations();
  readonly problems = new Map<string, number>();
  failed = 0;

  note({ dueAt, sentAt, endedAt, problem }: Sample): void {
    this.latency.add(endedAt - dueAt);
    this.service.add(endedAt - sentAt);
    if (problem === undefined) return;
    this.failed += 1;
    // Few kinds; a server that answers something new each time must not fill the memory.
    const kind = this.problems.size < 50 || this.problems.has(problem) ? problem : "others";
    this.problems.set(kind, (this.problems.get(kind) ?? 0) + 1);
  }

  get count(): number {
    return this.latency.count;
  }
}

const mostSlices = 120;

interface Slice {
  readonly latency: Durations;
  failed: number;
}

/** A whole run: all requests, each kind, and how it went over time. */
export class LoadStatistics {
  readonly all = new RequestStatistics();
  readonly byStep = new Map<string, RequestStatistics>();
  /** How much later than due the generator itself was, at its own fault. */
  readonly lateness = new Durations();
  /** Due, and never sent: too many waited already. */
  notSent = 0;
  readonly #startedAt: number;
  readonly sliceMs: number;
  readonly #slices: (Slice | undefined)[] = [];

  constructor(startedAt: number, durationMs: number) {
    this.#startedAt = startedAt;
    this.sliceMs = Math.max(1_000, Math.ceil(durationMs / mostSlices / 1_000) * 1_000);
  }

  note(sample: Sample): void {
    this.all.note(sample);
    let own = this.byStep.get(sample.step.name);
    if (own === undefined) this.byStep.set(sample.step.name, (own = new RequestStatistics()));
    own.note(sample);
    const place = Math.max(0, Math.floor((sample.dueAt - this.#startedAt) / this.sliceMs));
    const slice = (this.#slices[place] ??= { latency: new Durations(2), failed: 0 });
    slice.latency.add(sample.endedAt - sample.dueAt);
    if (sample.problem !== undefined) slice.failed += 1;
  }

  /** By when requests were due. */
  slices(): { fromMs: number; requests: number; failed: number; p50Ms: number; p99Ms: number; maxMs: number }[] {
    return Array.from({ length: this.#slices.length }, (_, place) => {
      const slice = this.#slices[place];
      return {
        fromMs: place * this.sliceMs,
        requests: slice?.latency.count ?? 0,
        failed: slice?.failed ?? 0,
        p50Ms: rounded(slice?.latency.percentile(50) ?? 0),
        p99Ms: rounded(slice?.latency.percentile(99) ?? 0),
        maxMs: rounded(slice?.latency.maxMs ?? 0),
      };
    });
  }
}

export function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
