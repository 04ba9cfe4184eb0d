import { spawn, type ChildProcess } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "undici";

export const projectRoot = resolve(import.meta.dirname, "../..");

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly durationMs: number;
}

/** Starts the `understudy` command as a user would, in CI's plain mode. */
export interface Started {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves once the command has printed a text on stderr, or has ended. */
  printed(text: string): Promise<void>;
}

export function startUnderstudy(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const startedAt = Date.now();
  const child = spawn(join(projectRoot, "cli", "understudy"), args, {
    cwd: "/",
    env: { ...process.env, CI: "true", NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const finished = new Promise<Finished>((resolvePromise, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolvePromise({ code, stdout, stderr, durationMs: Date.now() - startedAt }));
  });
  const printed = async (text: string) => {
    while (child.exitCode === null && child.signalCode === null && !stderr.includes(text)) await sleep(25);
  };
  return { child, finished, printed };
}

export function understudy(...args: string[]): Promise<Finished> {
  return startUnderstudy(args).finished;
}

/** The same, and it has to end with 0. */
export async function understudyOk(...args: string[]): Promise<Finished> {
  const finished = await understudy(...args);
  if (finished.code !== 0) throw new Error(`understudy ${args.join(" ")} ended with ${finished.code}\n${finished.stderr}\n${finished.stdout}`);
  return finished;
}

export interface Outputs {
  readonly stackId: string;
  readonly urls: Readonly<Record<string, string>>;
  readonly ports: Readonly<Record<string, number>>;
  readonly reports: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string>>;
}

export async function outputsOf(stack: string): Promise<Outputs> {
  return JSON.parse((await understudyOk("outputs", "--stack", stack, "--json", "--show-secrets")).stdout) as Outputs;
}

const insecure = new Agent({ connect: { rejectUnauthorized: false } });

/** A GET through the self-signed certificate; the body as text. */
export async function get(url: string): Promise<{ readonly status: number; readonly text: string; readonly headers: Record<string, string | string[] | undefined> }> {
  const answer = await request(url, { dispatcher: insecure });
  return { status: answer.statusCode, text: await answer.body.text(), headers: answer.headers };
}

/** Every file under a folder with its size and time of change: equal listings, nothing was written. */
export async function listing(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch((): string[] => []);
  const lines = await Promise.all(
    names.map(async (name) => {
      const { mtimeMs, size } = await stat(join(folder, name)).catch(() => ({ mtimeMs: 0, size: 0 }));
      return `${name} ${size} ${mtimeMs}`;
    }),
  );
  return lines.sort();
}

export async function readState(stack: string): Promise<string> {
  return readFile(join(projectRoot, ".understudy/backend/.pulumi/stacks/understudy", `${stack}.json`), "utf8");
}
