import { messageOf } from "../../engine/errors.ts";
import type { Say } from "../say.ts";

/** How an engine was come by. */
export type EngineOrigin = "path" | "cache" | "download" | "go";

/** A `pulumi` that is ready to be used. */
export interface Located {
  readonly pulumiPath: string;
  readonly version: string;
}

/** What a way of getting an engine ended in: the engine, or why this way was passed over. */
export type Outcome = Located | { readonly passedOver: string };

/** One way of getting an engine. */
export interface Attempt {
  readonly origin: EngineOrigin;
  /** What a person calls it. */
  readonly name: string;
  readonly run: () => Promise<Outcome>;
}

/** What every attempt is told. */
export interface EngineContext {
  /** Absolute folder of the project. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly say: Say;
  /** The version to look for, and to get. */
  readonly version: string;
  /** The user's cache folder of this project. */
  readonly cache: string;
}

/** The first attempt that brings an engine; one that throws is passed over like one that says why it cannot. */
export async function firstThatWorks(
  attempts: readonly Attempt[],
  say: Say,
): Promise<{ located: Located | undefined; origin: EngineOrigin | undefined; passedOver: string[] }> {
  const passedOver: string[] = [];
  for (const { origin, name, run } of attempts) {
    const outcome = await run().catch((error: unknown) => ({ passedOver: messageOf(error) }));
    if ("pulumiPath" in outcome) return { located: outcome, origin, passedOver };
    passedOver.push(`${name}: ${outcome.passedOver}`);
    say("engine", `${name}: ${outcome.passedOver}`);
  }
  return { located: undefined, origin: undefined, passedOver };
}
