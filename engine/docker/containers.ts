import { z } from "zod";
import { exitCode, UnderstudyError } from "../errors.ts";
import type { SupervisorState } from "../health/index.ts";
import { askEngine, streamFromEngine } from "./api.ts";

const inspection = z.object({
  Id: z.string(),
  RestartCount: z.int(),
  State: z.object({
    Running: z.boolean(),
    Restarting: z.boolean(),
    Pid: z.int(),
    ExitCode: z.int(),
    OOMKilled: z.boolean(),
    StartedAt: z.string(),
    FinishedAt: z.string(),
    Health: z.object({ Status: z.string() }).optional(),
  }),
  Config: z.object({ User: z.string() }),
});

/** A container at one moment. */
export interface ContainerState {
  readonly id: string;
  readonly running: boolean;
  /** Its first process on this machine, while it runs. */
  readonly pid: number | undefined;
  readonly uptimeMs: number | undefined;
  /** Restarts by the engine since it was last started by somebody. */
  readonly restarts: number;
  readonly exitCode: number;
  readonly finishedAtMs: number;
  /** `starting`, `healthy`, `unhealthy`, or `none`. */
  readonly health: string;
  /** `uid:gid`. */
  readonly user: string;
}

/** @returns undefined when there is no such container. */
export async function inspectContainer(name: string): Promise<ContainerState | undefined> {
  const { status, body } = await askEngine(`/containers/${encodeURIComponent(name)}/json`);
  if (status === 404) return undefined;
  if (status !== 200) throw refused(`inspecting container ${name}`, status, body);
  const { Id, RestartCount, State, Config } = inspection.parse(JSON.parse(body.toString()));
  const running = State.Running && !State.Restarting;
  return {
    id: Id,
    running,
    pid: running ? State.Pid : undefined,
    uptimeMs: running ? Date.now() - Date.parse(State.StartedAt) : undefined,
    restarts: RestartCount,
    exitCode: State.ExitCode,
    finishedAtMs: Date.parse(State.FinishedAt),
    health: State.Health?.Status ?? "none",
    user: Config.User,
  };
}

/**
 * A container in a supervisor's terms. Its process is not named: what listens on the published port is the engine's own, which gave
 * that port to this container and to no other. So an answer there is its own, and only one that has ended before has to prove itself steady.
 */
export async function observeContainer(name: string): Promise<SupervisorState> {
  const state = await inspectContainer(name);
  if (state === undefined) return { up: false, wantedUp: false, exits: [] };
  const { running, restarts, uptimeMs, finishedAtMs, exitCode: code } = state;
  const ends = running || restarts > 0 ? restarts : 1;
  const exits = Array.from({ length: ends }, () => ({ atMs: finishedAtMs, code, signal: null }));
  return { up: running, exits, ...(restarts === 0 || uptimeMs === undefined ? {} : { uptimeMs }) };
}

/** The last lines that a container has printed, on both its outputs, newest last. */
export async function containerLog(name: string, lines: number): Promise<string[]> {
  const { status, body } = await askEngine(`/containers/${encodeURIComponent(name)}/logs?stdout=1&stderr=1&tail=${lines}`);
  if (status === 404) return [];
  if (status !== 200) throw refused(`reading the log of container ${name}`, status, body);
  return parseLogStream(body).split("\n").filter((line) => line !== "");
}

/** Hands on what a container has printed and, as long as it runs, what it prints, as it comes. */
export async function followContainerLog(name: string, options: { readonly lines: number; readonly signal: AbortSignal; readonly onText: (text: string) => void }): Promise<void> {
  const { lines, signal, onText } = options;
  let rest = Buffer.alloc(0);
  for await (const chunk of streamFromEngine(`/containers/${encodeURIComponent(name)}/logs?stdout=1&stderr=1&follow=1&tail=${lines}`, signal)) {
    const stream = Buffer.concat([rest, chunk]);
    const whole = wholeFrameBytes(stream);
    rest = stream.subarray(whole);
    if (whole > 0) onText(parseLogStream(stream.subarray(0, whole)));
  }
}

const frameHeaderBytes = 8;

/** How much of a stream is whole frames. */
function wholeFrameBytes(stream: Buffer): number {
  let at = 0;
  while (at + frameHeaderBytes <= stream.length) {
    const end = at + frameHeaderBytes + stream.readUInt32BE(at + 4);
    if (end > stream.length) break;
    at = end;
  }
  return at;
}

/** Text of the engine's multiplexed log stream: frames of a header (stream, three zeros, length) and a payload. */
export function parseLogStream(stream: Buffer): string {
  const parts: Buffer[] = [];
  let at = 0;
  while (at + frameHeaderBytes <= stream.length) {
    const end = at + frameHeaderBytes + stream.readUInt32BE(at + 4);
    parts.push(stream.subarray(at + frameHeaderBytes, end));
    at = end;
  }
  return Buffer.concat(parts).toString();
}

/** Stops a container in an orderly way and starts it again. */
export async function restartContainer(name: string, graceSeconds: number): Promise<void> {
  const { status, body } = await askEngine(`/containers/${encodeURIComponent(name)}/restart?t=${graceSeconds}`, {
    method: "POST",
    timeoutMs: (graceSeconds + 20) * 1_000,
  });
  if (status !== 204) throw refused(`restarting container ${name}`, status, body);
}

function refused(what: string, status: number, body: Buffer): UnderstudyError {
  return new UnderstudyError(`The Docker engine refused ${what}: ${status} ${body.toString().slice(0, 300).trim()}`, { exitCode: exitCode.provisioning });
}
