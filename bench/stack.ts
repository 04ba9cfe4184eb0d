import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { publish } from "./figures.ts";
import { residentMb } from "./residentMemory.ts";

/** Times whole commands as a user runs them, on a stack of its own beside whatever runs. */
const stack = "bench";
const command = join(import.meta.dirname, "..", "cli", "understudy");

interface Measured {
  readonly seconds: number;
  /** Of the command, the engine and the providers together, their shared pages counted for each. */
  readonly peakMb: number;
}

async function measure(...args: string[]): Promise<Measured> {
  const startedAt = performance.now();
  const child = spawn(command, [...args, "--stack", stack], { env: { ...process.env, CI: "true" }, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-4_000)));
  const ended = once(child, "close");
  let peakMb = 0;
  while (child.exitCode === null && child.signalCode === null) {
    peakMb = Math.max(peakMb, await residentMb(child.pid ?? 0));
    await Promise.race([ended, sleep(150)]);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  if (child.exitCode !== 0) throw new Error(`understudy ${args.join(" ")} ended with ${child.exitCode ?? child.signalCode}\n${stderr}`);
  return { seconds, peakMb };
}

async function destroyIfThere(): Promise<void> {
  await measure("destroy", "--yes", "--purge").catch(() => {});
}

await destroyIfThere();
try {
  const up = await measure("up", "--port-offset", "auto");
  const again = await measure("up");
  const preview = await measure("preview", "--expect-no-changes");
  const destroy = await measure("destroy", "--yes", "--purge");
  const peakMb = Math.max(up.peakMb, again.peakMb, preview.peakMb, destroy.peakMb);
  await publish("stack", [
    { name: "up-from-nothing", value: up.seconds, unit: "s", bound: { relation: "<=", value: 45 } },
    { name: "up-unchanged", value: again.seconds, unit: "s", bound: { relation: "<=", value: 10 } },
    { name: "preview-unchanged", value: preview.seconds, unit: "s", bound: { relation: "<=", value: 5 } },
    { name: "destroy", value: destroy.seconds, unit: "s", bound: { relation: "<=", value: 10 } },
    { name: "peak-memory", value: peakMb, unit: "MB", bound: { relation: "<=", value: 600 } },
  ]);
} finally {
  await destroyIfThere();
}
