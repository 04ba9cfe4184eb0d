import { migrate } from "../context.ts";
import type { RehearsalContext } from "../context.ts";
import type { Cycle } from "./cycle.ts";

export type StageState = "before" | "after" | "unknown";

/**
 * One clone for many scenarios: where down was seen to bring back everything, up and down lead from one's end to the next
 * one's beginning, which is much cheaper than a copy. Where it was not, or a scenario leaves the clone in another state,
 * the next one gets a fresh clone.
 */
export class Stage {
  readonly #context: RehearsalContext;
  readonly #restores: boolean;
  #clone: string | undefined;
  #state: StageState;

  constructor(context: RehearsalContext, cycle: Cycle) {
    this.#context = context;
    this.#restores = cycle.restores;
    this.#clone = cycle.clone;
    this.#state = cycle.clone === undefined ? "unknown" : "after";
  }

  /** Runs `use` on a clone before or after up; it returns the state it leaves. */
  async use(wanted: "before" | "after", use: (clone: string) => Promise<StageState>): Promise<void> {
    const clone = await this.#in(wanted);
    this.#state = "unknown";
    this.#state = await use(clone);
  }

  async close(): Promise<void> {
    if (this.#clone !== undefined) await this.#context.clones.drop(this.#clone);
    this.#clone = undefined;
  }

  async #in(wanted: "before" | "after"): Promise<string> {
    if (this.#clone !== undefined && this.#state === "after" && wanted === "before" && this.#restores) await this.#migrate(this.#clone, "down");
    if (this.#clone === undefined || this.#state === "unknown" || (this.#state === "after" && wanted === "before")) {
      await this.close();
      this.#clone = await this.#context.clones.clone(this.#context.base, this.#context.signal);
      this.#state = "before";
    }
    if (this.#state === "before" && wanted === "after") await this.#migrate(this.#clone, "up");
    if (this.#state !== wanted) throw new Error(`the clone could not be brought to the state ${wanted} the migration`);
    return this.#clone;
  }

  async #migrate(clone: string, direction: "up" | "down"): Promise<void> {
    const { succeeded } = await migrate(this.#context, clone, direction);
    this.#state = !succeeded ? "unknown" : direction === "up" ? "after" : "before";
  }
}
