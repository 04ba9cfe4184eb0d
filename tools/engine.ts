import { exitCode, UnderstudyError } from "../engine/errors.ts";
import { firstThatWorks, type Attempt, type EngineContext, type EngineOrigin } from "./engine/attempts.ts";
import { cacheFolder, engineInCache } from "./engine/cache.ts";
import { engineFromDownload } from "./engine/download.ts";
import { engineFromGo } from "./engine/go.ts";
import { engineOnPath } from "./engine/onPath.ts";
import type { Say } from "./say.ts";

/** The engine that is downloaded or built when there is none; any on PATH that is as new will do. */
export const engineVersion = "3.246.0";

/** A Pulumi engine that is ready to be used, and how it was come by. */
export interface Engine {
  /** Absolute path of `pulumi`; the provider for dynamic resources is beside it or on PATH. */
  readonly pulumiPath: string;
  readonly version: string;
  readonly origin: EngineOrigin;
  /** Why each earlier possibility was passed over, a line each. */
  readonly passedOver: readonly string[];
}

export interface EngineOptions {
  /** Absolute folder of the project. */
  readonly root: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Hears each step as it is tried. */
  readonly say?: Say;
}

/**
 * Finds an engine that is there already: on PATH, else in the user's cache. Quick, and writes at most one small file
 * in that cache (which version the `pulumi` on PATH is, so that it need not be asked again).
 *
 * @throws UnderstudyError (exit 3) when there is none
 */
export async function findEngine(options: EngineOptions): Promise<Engine> {
  const context = contextOf(options);
  const found = await firstEngine(presentOnes(context), context);
  if (!("failed" in found)) return found;
  throw new UnderstudyError(`There is no Pulumi engine ${engineVersion} or newer (${found.failed.join("; ")}).`, {
    exitCode: exitCode.provisioning,
    remedy: "Run: make setup",
  });
}

/**
 * Finds an engine or gets one: on PATH, in the user's cache, by Pulumi's own download, else built from Go modules.
 *
 * @throws UnderstudyError (exit 3) when nothing works, saying why each way failed and what to install
 */
export async function obtainEngine(options: EngineOptions): Promise<Engine> {
  const context = contextOf(options);
  const found = await firstEngine([...presentOnes(context), ...obtainableOnes(context)], context);
  if (!("failed" in found)) return found;
  throw new UnderstudyError("No way led to a Pulumi engine; each is named above.", {
    exitCode: exitCode.provisioning,
    remedy: `Install Pulumi ${engineVersion} or newer and put it on PATH, or install any Go, then run: make setup`,
  });
}

async function firstEngine(attempts: readonly Attempt[], { say }: EngineContext): Promise<Engine | { failed: string[] }> {
  const { located, origin, passedOver } = await firstThatWorks(attempts, say);
  if (located === undefined || origin === undefined) return { failed: passedOver };
  return { ...located, origin, passedOver };
}

function presentOnes(context: EngineContext): Attempt[] {
  return [
    { origin: "path", name: "pulumi on PATH", run: () => engineOnPath(context) },
    { origin: "cache", name: "cache", run: () => engineInCache(context) },
  ];
}

function obtainableOnes(context: EngineContext): Attempt[] {
  return [
    { origin: "download", name: "Pulumi's download", run: () => engineFromDownload(context) },
    { origin: "go", name: "Go modules", run: () => engineFromGo(context) },
  ];
}

function contextOf({ root, env = process.env, say = () => {} }: EngineOptions): EngineContext {
  return { root, env, say, version: engineVersion, cache: cacheFolder(env) };
}
