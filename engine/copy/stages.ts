import type { OnProgress } from "../progress.ts";
import { interrupted } from "../postgres/session.ts";

/** The stages of one run, announced and timed. */
export class Stages {
  readonly #onProgress: OnProgress;
  readonly #signal: AbortSignal | undefined;
  readonly times: { stage: string; durationMs: number }[] = [];

  constructor(onProgress: OnProgress, signal: AbortSignal | undefined) {
    this.#onProgress = onProgress;
    this.#signal = signal;
  }

  /** @throws UnderstudyError (exit 130) when the signal has fired, whatever the stage made of it. */
  async run<Result>(stage: string, work: () => Promise<Result>): Promise<Result> {
    const stopped = (): boolean => this.#signal?.aborted === true;
    if (stopped()) throw interrupted("The copy");
    this.#onProgress({ step: "copy", message: stage });
    const started = performance.now();
    try {
      return await work();
    } catch (error) {
      throw stopped() ? interrupted("The copy") : error;
    } finally {
      this.times.push({ stage, durationMs: performance.now() - started });
    }
  }
}
