import { spawn } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface Watched {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The folder the command fills, and how long that may stay as it is before the command counts as stuck. */
  readonly fills?: { readonly folder: string; readonly stallMs: number };
}

export interface WatchedEnd {
  readonly code: number;
  readonly output: string;
  /** It was killed because nothing came any more. */
  readonly stalled: boolean;
}

/**
 * Runs a command, and kills it with its children when it fetches nothing any more, or when this process is told to end.
 * So a network that does not answer costs seconds, and a slow one that does has all the time it needs.
 */
export async function runWatched({ command, args, cwd, env, fills }: Watched): Promise<WatchedEnd> {
  const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);

  const onSignal = (): void => {
    killGroup(child.pid);
    process.exit(130);
  };
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal).once("SIGHUP", onSignal);

  const ended = new AbortController();
  let stalled = false;
  const watch = async (folder: string, stallMs: number): Promise<void> => {
    stalled = await isStillFor(folder, stallMs, ended.signal);
    if (stalled) killGroup(child.pid);
  };
  if (fills !== undefined) void watch(fills.folder, fills.stallMs);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status) => resolve(status ?? 1));
    });
    return { code, output, stalled };
  } finally {
    ended.abort();
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal).off("SIGHUP", onSignal);
  }
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Gone already.
  }
}

/**
 * Waits until a folder's size has not changed for a while, and says whether that came before the end.
 * Looks the less often the longer a look takes, so that watching a large folder costs little.
 */
async function isStillFor(folder: string, stillMs: number, ended: AbortSignal): Promise<boolean> {
  let size = -1;
  let changedMs = performance.now();
  while (!ended.aborted) {
    const lookedMs = performance.now();
    const now = await sizeOf(folder);
    if (now !== size) {
      size = now;
      changedMs = lookedMs;
    } else if (lookedMs - changedMs > stillMs) {
      return !ended.aborted;
    }
    const pauseMs = Math.max(250, 20 * (performance.now() - lookedMs));
    await sleep(pauseMs, undefined, { signal: ended }).catch(() => {});
  }
  return false;
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let sum = 0;
  for (const entry of entries.filter((one) => one.isFile())) {
    sum += await stat(join(entry.parentPath, entry.name)).then(({ size }) => size, () => 0);
  }
  return sum;
}
