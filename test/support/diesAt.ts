import { spawn } from "node:child_process";

/** Runs a script that kills itself with SIGKILL at a given moment; resolves once it is gone. */
export async function runUntilKilled(script: string, options: Readonly<Record<string, unknown>>): Promise<void> {
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ["ignore", "ignore", "pipe"] });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const signal = await new Promise((resolve) => child.once("close", (_code, why) => resolve(why)));
  if (signal !== "SIGKILL") throw new Error(`${script} was not killed: ${complaint}`);
}
