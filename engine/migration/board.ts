import { messageOf } from "../errors.ts";
import { interrupted } from "../postgres/session.ts";
import type { CheckResult } from "../report/check.ts";

/** The six categories of a migration test, in the order they are reported. */
export const categories = ["prerequisites", "logic", "integrity", "rollback", "performance", "edge-cases"] as const;
export type Category = (typeof categories)[number];

/** A check before it ran. */
export interface CheckDefinition {
  /** `<category>.<name>`. */
  readonly id: string;
  readonly title: string;
  /** Default `error`. */
  readonly severity?: CheckResult["severity"] | undefined;
  /** What to do when it fails. */
  readonly remedy: string;
}

export interface Outcome {
  readonly status: CheckResult["status"];
  readonly evidence: string;
  /** Instead of the definition's. */
  readonly remedy?: string | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

export const passed = (evidence: string, details?: Outcome["details"]): Outcome => ({ status: "passed", evidence, details });
export const failed = (evidence: string, details?: Outcome["details"]): Outcome => ({ status: "failed", evidence, details });
export const skipped = (evidence: string): Outcome => ({ status: "skipped", evidence });

/** What `body` comes to; errored when it throws, without taking the checks beside it along. */
export async function attempt(body: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await body();
  } catch (error) {
    return { status: "errored", evidence: `Could not run: ${messageOf(error)}.`, remedy: "Correct what the check itself asks, then rehearse again." };
  }
}

/** Passed when nothing was found; failed with the findings (at most ten written out) otherwise. */
export function noneOf(findings: readonly string[], calm: string, details?: Outcome["details"]): Outcome {
  if (findings.length === 0) return passed(calm, details);
  const more = findings.length > 10 ? `\nand ${findings.length - 10} more` : "";
  return failed(`${findings.slice(0, 10).join("\n")}${more}`, details);
}

/** Thrown by a course of checks when one that failed makes the rest pointless: those are skipped, naming it. */
export class Pointless extends Error {}

/** A finding that the workload knows of and accepts, with its reason: reported, not blocking. */
export interface Acceptance {
  readonly check: string;
  readonly reason: string;
}

export interface BoardOptions {
  /** Ids or categories to run; everything when undefined or empty. */
  readonly only?: readonly string[] | undefined;
  readonly skip?: readonly string[] | undefined;
  readonly accept?: readonly Acceptance[];
  /** Added to every id, to tell several migrations apart: `@0002_add_index`. */
  readonly suffix?: string;
  /** Added to the evidence of every check that ran: under which circumstances it did. */
  readonly note?: string;
}

/** Records one verdict for every check that was announced: what did not reach one is `errored`, never passed. */
export class Board {
  readonly #options: BoardOptions;
  readonly #results = new Map<string, CheckResult>();

  constructor(options: BoardOptions = {}) {
    this.#options = options;
  }

  get results(): CheckResult[] {
    return [...this.#results.values()];
  }

  /** Whether `--only` and `--skip` leave the check in. */
  wants(id: string): boolean {
    const names = (list: readonly string[]) => list.some((name) => id === name || id.startsWith(`${name}.`) || `${id}${this.#options.suffix ?? ""}` === name);
    const { only = [], skip = [] } = this.#options;
    return (only.length === 0 || names(only)) && !names(skip);
  }

  /** A board for some of the same checks, whose verdicts count once they are taken over by {@link adopt}. */
  apart(note: string): Board {
    return new Board({ ...this.#options, note });
  }

  /** Takes over the verdicts of checks that have none here. */
  adopt(other: Board): void {
    for (const [id, result] of other.#results) if (!this.#results.has(id)) this.#results.set(id, result);
  }

  /** One check. */
  async check(definition: CheckDefinition, body: () => Promise<Outcome> | Outcome): Promise<void> {
    await this.group([definition], async (settle) => settle(definition.id, await body()));
  }

  /**
   * Checks that share one course of events. `body` settles each by id; what it leaves open, or everything open when it
   * throws, is errored. It does not run at all when none of its checks is wanted, unless others need what it finds out.
   * Interruption is thrown on.
   * @returns whether every one that was wanted passed
   */
  async group(
    definitions: readonly CheckDefinition[],
    body: (settle: (id: string, outcome: Outcome) => void) => Promise<void> | void,
    { signal, always = false }: { readonly signal?: AbortSignal | undefined; readonly always?: boolean } = {},
  ): Promise<boolean> {
    const wanted = definitions.filter((definition) => this.wants(definition.id));
    for (const definition of definitions) {
      if (!wanted.includes(definition)) this.#record(definition, { status: "skipped", evidence: "Left out by --only or --skip." }, 0);
    }
    if (wanted.length === 0 && !always) return true;
    const open = new Map(wanted.map((definition) => [definition.id, definition]));
    let mark = performance.now();
    const settle = (id: string, outcome: Outcome): void => {
      const definition = open.get(id);
      if (definition === undefined) return;
      open.delete(id);
      const now = performance.now();
      this.#record(definition, outcome, now - mark);
      mark = now;
    };
    let reason = "The scenario ended without a verdict on it.";
    try {
      await body(settle);
    } catch (error) {
      if (signal?.aborted === true) throw interrupted("The migration rehearsal");
      if (error instanceof Pointless) for (const id of open.keys()) settle(id, skipped(error.message));
      reason = `Could not run: ${messageOf(error)}.`;
    }
    for (const definition of open.values()) {
      this.#record(definition, { status: "errored", evidence: reason, remedy: "Remove what kept the check from running, then rehearse again." }, performance.now() - mark);
    }
    return wanted.every(({ id }) => this.#results.get(`${id}${this.#options.suffix ?? ""}`)?.status === "passed");
  }

  #record(definition: CheckDefinition, outcome: Outcome, durationMs: number): void {
    const id = `${definition.id}${this.#options.suffix ?? ""}`;
    const acceptance = (this.#options.accept ?? []).find(({ check }) => check === definition.id);
    const accepted = outcome.status === "failed" && acceptance !== undefined;
    const { note } = this.#options;
    const evidence = note === undefined || outcome.status === "skipped" ? outcome.evidence : `${outcome.evidence} ${note}`;
    this.#results.set(id, {
      id,
      category: definition.id.split(".", 1)[0] ?? "",
      title: definition.title,
      severity: accepted ? "info" : (definition.severity ?? "error"),
      status: outcome.status,
      evidence: accepted ? `${evidence}\nAccepted by the workload: ${acceptance.reason}` : evidence,
      durationMs: Math.max(0, durationMs),
      ...(outcome.status === "passed" ? {} : { remedy: outcome.remedy ?? definition.remedy }),
      ...(outcome.details === undefined ? {} : { details: { ...outcome.details } }),
    });
  }
}
