import { spawn } from "node:child_process";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

export interface Watched {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** The folder the command fills. */
  readonly folder: string;
  /** How long the folder may stay as it is before the command counts as stuck. */
  readonly stallMs: number;
  /** Hears each piece of output. */
  readonly onOutput?: (text: string) => void;
}

export interface WatchedEnd {
  readonly code: number;
  readonly output: string;
  /** It was killed because nothing came any more. */
  readonly stalled: boolean;
}

/**
 * Runs a command that fetches things, and kills it with its children when nothing has come for a while.
 * So a network that does not answer costs seconds, and a slow one that does has all the time it needs.
 */
export async function runWatched(watched: Watched): Promise<WatchedEnd> {
  const child = spawn(watched.command, watched.args, {
    cwd: watched.cwd,
    env: watched.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  const keep = (chunk: Buffer): void => {
    const text = chunk.toString();
    output += text;
    watched.onOutput?.(text);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);

  const killGroup = (): void => {
    if (child.pid !== undefined) signalGroup(child.pid, "SIGKILL");
  };
  const onSignal = (): void => {
    killGroup();
    process.exit(130);
  };
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal).once("SIGHUP", onSignal);

  let stalled = false;
  const stopWatching = onceStill(watched.folder, watched.stallMs, () => {
    stalled = true;
    killGroup();
  });
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status) => resolve(status ?? 1));
    });
    return { code, output, stalled };
  } finally {
    stopWatching();
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal).off("SIGHUP", onSignal);
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}

/** Calls back once when a folder's size has not changed for a while; the result ends the watch. */
function onceStill(folder: string, stillMs: number, callback: () => void): () => void {
  let size = -1;
  let changedMs = performance.now();
  let measuring = false;
  const timer = setInterval(async () => {
    if (measuring) return;
    measuring = true;
    const now = await sizeOf(folder);
    measuring = false;
    if (now !== size) {
      size = now;
      changedMs = performance.now();
    } else if (performance.now() - changedMs > stillMs) {
      clearInterval(timer);
      callback();
    }
  }, 250);
  return () => clearInterval(timer);
}

async function sizeOf(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    files
      .filter((entry) => entry.isFile())
      .map((entry) => stat(join(entry.parentPath, entry.name)).then(({ size }) => size, () => 0)),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
