const windowSeconds = 60;

/** The share of failed requests in the last minute, in one counter a second. */
export class ErrorRate {
  readonly #all = new Uint32Array(windowSeconds);
  readonly #failed = new Uint32Array(windowSeconds);
  readonly #nowSeconds: () => number;
  #last: number;

  constructor(nowSeconds: () => number = () => Math.floor(performance.now() / 1_000)) {
    this.#nowSeconds = nowSeconds;
    this.#last = nowSeconds();
  }

  note(failed: boolean): void {
    const place = this.#advance() % windowSeconds;
    this.#all[place] = (this.#all[place] ?? 0) + 1;
    if (failed) this.#failed[place] = (this.#failed[place] ?? 0) + 1;
  }

  /** 0 when nothing was asked. */
  share(): number {
    this.#advance();
    const sum = (counts: Uint32Array): number => counts.reduce((total, count) => total + count, 0);
    const all = sum(this.#all);
    return all === 0 ? 0 : sum(this.#failed) / all;
  }

  /** Forgets the seconds that have fallen out of the window. */
  #advance(): number {
    const now = this.#nowSeconds();
    for (let second = Math.max(this.#last + 1, now - windowSeconds + 1); second <= now; second += 1) {
      this.#all[second % windowSeconds] = 0;
      this.#failed[second % windowSeconds] = 0;
    }
    this.#last = now;
    return now;
  }
}
