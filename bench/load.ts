import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { createLoadClient } from "../engine/load/client.ts";
import { generate } from "../engine/load/generate.ts";
import { loadPlan } from "../engine/load/plan.ts";
import type { LoadStatistics } from "../engine/load/statistics.ts";
import { findProgram } from "../engine/process/findProgram.ts";
import { publish } from "./figures.ts";

/** What the load generator itself can do, and whether it shows a stall, beside autocannon where that is on PATH. */
const server = spawn(process.execPath, [join(import.meta.dirname, "loadServer.ts")], { stdio: ["ignore", "pipe", "inherit"] });
const [line] = (await once(server.stdout, "data")) as [Buffer];
const origin = new URL(`http://127.0.0.1:${line.toString().trim()}`);

async function run(requestsPerSecond: number, seconds: number): Promise<LoadStatistics> {
  const plan = loadPlan.parse({
    version: 1,
    accounts: { sql: "SELECT 1" },
    journeys: [{ name: "get", title: "Reads", weight: 1, signedIn: false, steps: [{ name: "get", path: "/things", expect: [{ pointer: "/data", type: "array" }] }] }],
    profiles: { bench: { title: "Bench", stages: [{ seconds, requestsPerSecond }] } },
  });
  const profile = plan.profiles["bench"];
  if (profile === undefined) throw new Error("no profile");
  const client = createLoadClient(origin, { connections: 50, timeoutMs: 10_000 });
  try {
    return await generate({ profile, journeys: plan.journeys, client, valuesFor: () => ({}), cookieFor: () => undefined });
  } finally {
    await client.close();
  }
}

const stallMs = 1_000;
const stallSeconds = 8;
const stallRate = 200;

/** Has the server stand still in the middle of what `measure` does. */
async function duringStall<Result>(measure: () => Promise<Result>): Promise<Result> {
  const [result] = await Promise.all([measure(), sleep((stallSeconds * 1_000) / 2).then(() => fetch(new URL(`/stall?ms=${stallMs}`, origin), { method: "POST" }))]);
  return result;
}

/** p99 by autocannon at the same rate, or nothing where it is not installed. */
async function peerP99(): Promise<number | undefined> {
  if (findProgram("autocannon") === undefined) {
    process.stdout.write("autocannon is not on PATH: no figure beside ours (npm install --global autocannon)\n");
    return undefined;
  }
  const { stdout } = await duringStall(() => promisify(execFile)("autocannon", ["-j", "-c", "10", "-R", String(stallRate), "-d", String(stallSeconds), new URL("/things", origin).href]));
  return (JSON.parse(stdout) as { latency: { p99: number } }).latency.p99;
}

try {
  await run(200, 1);
  const beforeMb = process.memoryUsage().rss / 1024 ** 2;
  const beforeCpu = process.cpuUsage();
  const long = await run(1_000, 20);
  const cpu = process.cpuUsage(beforeCpu);
  const grownMb = process.memoryUsage().rss / 1024 ** 2 - beforeMb;
  const { all } = await duringStall(() => run(stallRate, stallSeconds));
  const peer = await peerP99();
  await publish(
    "load",
    [
      // Of processor time, which others on the machine do not change; what is left of a second is the server's.
      { name: "requests-a-second-of-one-processor", value: long.all.count / ((cpu.user + cpu.system) / 1e6), unit: "per s", bound: { relation: ">=", value: 2_000 } },
      { name: "memory-grown-by-20000-requests", value: grownMb, unit: "MB", bound: { relation: "<=", value: 30 } },
      { name: "p50-of-an-idle-server", value: long.all.latency.percentile(50) / 1_000, unit: "s", bound: { relation: "<=", value: 0.01 } },
      // One second of eight is lost: every eighth request waits, the longest for all of it.
      { name: "p99-with-a-stall-of-1s", value: all.latency.percentile(99) / 1_000, unit: "s", bound: { relation: ">=", value: 0.8 } },
      ...(peer === undefined ? [] : [{ name: "p99-with-a-stall-by-autocannon-to-ours", value: peer / all.latency.percentile(99), unit: "ratio" as const, bound: { relation: "<=" as const, value: 1 } }]),
    ],
    { requests: long.all.count, p99StallMs: all.latency.percentile(99), ...(peer === undefined ? {} : { autocannonP99StallMs: peer }) },
  );
} finally {
  server.kill();
}
