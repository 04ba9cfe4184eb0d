import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessExit, SupervisorState } from "../../engine/health/index.ts";

/** A stand-in for the supervisor: starts a program again whenever it ends, and tells what it saw. */
export interface Respawned {
  observe(): Promise<SupervisorState>;
  logTail(): Promise<string[]>;
  stop(): Promise<void>;
}

export function respawn(program: string, args: readonly string[], options: { readonly pauseMs?: number; readonly log?: readonly string[] } = {}): Respawned {
  const { pauseMs = 150, log = [] } = options;
  const lines: string[] = [...log];
  const exits: ProcessExit[] = [];
  let child: ChildProcess | undefined;
  let startedAt = 0;
  const end = new AbortController();
  const keep = (chunk: Buffer): void => void lines.push(...chunk.toString().split("\n").filter((line) => line !== ""));
  const loop = (async () => {
    while (!end.signal.aborted) {
      const running = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
      child = running;
      startedAt = Date.now();
      running.stdout.on("data", keep);
      running.stderr.on("data", keep);
      await new Promise<void>((resolve) => {
        running.once("close", (code, signal) => {
          exits.push({ atMs: Date.now(), code, signal });
          resolve();
        });
      });
      child = undefined;
      await sleep(pauseMs);
    }
  })();
  return {
    observe: async () =>
      child?.pid === undefined ? { up: false, exits: [...exits] } : { up: true, pid: child.pid, uptimeMs: Date.now() - startedAt, exits: [...exits] },
    logTail: async () => lines.slice(-20),
    stop: async () => {
      end.abort();
      child?.kill("SIGKILL");
      await loop;
    },
  };
}
