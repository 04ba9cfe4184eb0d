import { join } from "node:path";
import { lastLines } from "../install.ts";
import type { EngineContext, Outcome } from "./attempts.ts";
import { cached } from "./cache.ts";
import { runWatched } from "./watched.ts";

/** Silence after which the download counts as out of reach. */
const stallMs = 8000;

/** Fetches the official engine, by Pulumi's own installer, into the cache. */
export function engineFromDownload(context: EngineContext): Promise<Outcome> {
  return cached(context, async (workFolder) => {
    const { code, output, stalled } = await runWatched({
      command: process.execPath,
      args: ["--use-system-ca", join(import.meta.dirname, "pulumiInstall.ts"), join(workFolder, "engine"), context.version],
      cwd: workFolder,
      env: { ...context.env, TMPDIR: workFolder },
      fills: { folder: workFolder, stallMs },
    });
    if (stalled) return { passedOver: `nothing came for ${stallMs / 1000} s` };
    return code === 0 ? undefined : { passedOver: lastLines(output, 1) || `failed (exit ${code})` };
  });
}
