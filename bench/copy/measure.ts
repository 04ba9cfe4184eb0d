import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { residentMb } from "../residentMemory.ts";

export interface Measured {
  readonly seconds: number;
  /** Of the process and all below it, looked at every 100 ms. */
  readonly peakMb: number;
  readonly stdout: string;
}

/**
 * Runs one program to its end.
 * @throws Error with the end of its standard error when it fails.
 */
export async function measure(program: string, args: readonly string[], env: Readonly<Record<string, string>>, stdin = ""): Promise<Measured> {
  const startedAt = performance.now();
  const child = spawn(program, args, { env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8", ...env }, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-4_000)));
  child.stdin.end(stdin);
  const ended = once(child, "close");
  let peakMb = 0;
  while (child.exitCode === null && child.signalCode === null) {
    peakMb = Math.max(peakMb, await residentMb(child.pid ?? 0));
    await Promise.race([ended, sleep(100)]);
  }
  await ended;
  const seconds = (performance.now() - startedAt) / 1_000;
  if (child.exitCode !== 0) throw new Error(`${program} ended with ${child.exitCode ?? child.signalCode}\n${stderr}`);
  return { seconds, peakMb, stdout };
}
