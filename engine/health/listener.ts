import { readFile } from "node:fs/promises";
import { listenerOn } from "../process/proc.ts";
import type { ProcessInfo } from "../process/proc.ts";
import type { HealthSpec } from "./spec.ts";

const loopback: readonly string[] = ["127.0.0.1", "localhost", "[::1]", "::1"];

/** Whose answer a probe got: the service's own, another process', or not to be told by this user. */
export type Listener = { readonly whose: "own" | "unknown" } | { readonly whose: "other"; readonly process: ProcessInfo };

/**
 * Tells whether the process that listens where the probe went is the service (or a child of it). A stranger on its port would
 * answer a probe just as well; a password proves the identity of databases and caches, nothing that of a web server.
 * @param pid of the supervised process.
 */
export async function listenerOf(spec: HealthSpec, pid: number): Promise<Listener> {
  const port = probedPort(spec);
  if (port === undefined) return { whose: "own" };
  const process = await listenerOn(port);
  if (process === undefined || process === "unknown") return { whose: "unknown" };
  return (await ancestry(process.pid)).includes(pid) ? { whose: "own" } : { whose: "other", process };
}

/** The loopback port whose listener proves nothing by itself; undefined for probes with a password, and for other machines. */
function probedPort(spec: HealthSpec): number | undefined {
  if (spec.kind === "postgres" || spec.kind === "redis") return undefined;
  if (spec.kind === "tcp") return loopback.includes(spec.host) ? spec.port : undefined;
  const { hostname, port, protocol } = new URL(spec.url);
  if (!loopback.includes(hostname)) return undefined;
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

/** The process and its parents, up to init. */
async function ancestry(pid: number): Promise<number[]> {
  const line: number[] = [];
  for (let current = pid; current > 1 && !line.includes(current); ) {
    line.push(current);
    const status = await readFile(`/proc/${current}/status`, "utf8").catch(() => "");
    current = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return line;
}
