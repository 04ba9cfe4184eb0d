import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";

/** A server process of a test. */
export interface TestChild {
  readonly process: ChildProcess;
  /** Everything it wrote, both streams, the last 64 KiB. */
  output(): string;
  /** Polls until `probe` does not throw; throws with the output when the process ends or 15 s have passed. */
  waitUntil(probe: () => Promise<unknown>): Promise<void>;
  /** Sends the signal and waits for the end; resolves with the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts a program; its environment is only what is given. */
export function startChild(program: string, args: readonly string[], options: SpawnOptions = {}): TestChild {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-65_536);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", resolve);
    child.once("error", (error) => {
      output += error.message;
      resolve(null);
    });
  });
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  return {
    process: child,
    output: () => output,
    waitUntil: async (probe) => {
      const deadline = Date.now() + 15_000;
      for (;;) {
        if (isOver()) throw new Error(`${program} ended: ${output}`);
        try {
          await probe();
          return;
        } catch (error) {
          if (Date.now() > deadline) throw new Error(`${program} is not ready: ${output}`, { cause: error });
          await new Promise((resolve) => setTimeout(resolve, 40));
        }
      }
    },
    stop: async (signal = "SIGTERM") => {
      if (!isOver()) child.kill(signal);
      return ended;
    },
  };
}
