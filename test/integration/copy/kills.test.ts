import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyData } from "../../../engine/copy/copy.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import { tableChecksums } from "../../support/checksums.ts";
import { fillWithStories, startCopyWorld } from "../../support/copyWorld.ts";
import type { CopyWorld } from "../../support/copyWorld.ts";
import { withClient } from "../../support/postgres.ts";

let world: CopyWorld;

beforeAll(async () => {
  world = await startCopyWorld(fillWithStories(100));
  await copyData(await world.options({}, { limit: 20 }));
});
afterAll(() => world.stop());

const live = () => tableChecksums(connectionOf(world.staging, "admin"));

/** Sessions of a killed run end by themselves: at the latest when they next look at their socket. */
const noSessionsLeft = async (ask: CopyWorld["askSource"]): Promise<void> => {
  await expect
    .poll(async () => (await ask("SELECT count(*)::int FROM pg_stat_activity WHERE application_name LIKE 'understudy%'"))[0], { timeout: 10_000 })
    .toEqual({ count: 0 });
};

/** What a run keeps on this machine while it lasts. */
const leftHere = async (): Promise<string[]> => {
  const { host, port } = world.staging;
  const id = createHash("sha256").update(`${host}:${port}/staging_db_next`).digest("hex").slice(0, 16);
  return (await readdir(tmpdir())).filter((name) => name.includes(id) || name.startsWith("understudy-originals-"));
};

/** Starts a copy and kills it at a stage: at its beginning, or so much later. */
async function killAt(stopAt: string, delayMs?: number): Promise<void> {
  const { workload: _workload, onProgress: _onProgress, ...options } = await world.options();
  const script = join(import.meta.dirname, "copyForever.ts");
  const child = spawn(process.execPath, [script, JSON.stringify({ options, stopAt, standsStill: delayMs === undefined })], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = new Promise((resolve) => child.once("close", resolve));
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    child.once("exit", () => reject(new Error(`never came to "${stopAt}"`)));
  });
  await sleep(delayMs ?? 0);
  child.kill("SIGKILL");
  await closed;
}

const usersOfTheApplication = (): Promise<number> =>
  withClient(connectionOf(world.staging, "app"), async (client) => (await client.query<{ count: number }>(`SELECT count(*)::int FROM "User"`)).rows[0]?.count ?? 0);

describe.sequential("a copy killed with -9", () => {
  test.each([
    "check the target",
    "check the source",
    "choose rows",
    "try the masks",
    "clear away what a killed run left",
    "dump the schema",
    "make the tables",
    "copy rows",
    "User",
    "add up kept columns",
    "hash originals for the leak scan",
    "copy large objects",
    "cut references",
    "build indexes and constraints",
    "make it staging's",
    "gather statistics",
    "verify",
    "scan for leaks",
    "switch",
  ])('at "%s": staging is as it was, and in use', async (stage) => {
    const before = await live();
    await killAt(stage);
    expect(await live()).toEqual(before);
    expect(await usersOfTheApplication()).toBe(20);
    expect((await world.databases()).filter((name) => !["staging_db", "staging_db_next", "staging_db_previous"].includes(name))).toEqual([]);
    await noSessionsLeft(world.askSource);
  });

  test.each(["dump the schema", "make the tables", "build indexes and constraints"])('while a program of its own works at "%s": the next run converges', async (stage) => {
    await killAt(stage, 30);
    expect(await usersOfTheApplication()).toBe(20);
    const { report } = await copyData(await world.options({}, { limit: 20 }));
    expect(report).toMatchObject({ verdict: "passed", switched: true });
    expect(await world.databases()).toEqual(["staging_db", "staging_db_previous"]);
    await noSessionsLeft(world.askSource);
    await noSessionsLeft(world.askStaging);
    expect(await leftHere()).toEqual([]);
  });

  test("in the middle of the switch, at whatever moment: the old staging or the new one, whole; then the next run clears away what is left", async () => {
    for (const delayMs of [10, 60]) {
      await killAt("switch", delayMs);
      await expect.poll(async () => usersOfTheApplication().catch(() => 0), { timeout: 10_000 }).toSatisfy((count) => count === 10 || count === 20);
    }
    const { report } = await copyData(await world.options());
    expect(report).toMatchObject({ verdict: "passed", switched: true });
    expect(await world.databases()).toEqual(["staging_db", "staging_db_previous"]);
    await noSessionsLeft(world.askSource);
    await noSessionsLeft(world.askStaging);
    expect(await leftHere()).toEqual([]);
  });
});

describe("a copy interrupted by its signal", () => {
  test.each(["dump the schema", "copy rows"])('at "%s": exit 130, nothing left', async (stage) => {
    const before = await live();
    const interrupt = new AbortController();
    const onProgress = ({ message }: { message: string }): void => {
      if (message === stage) setTimeout(() => interrupt.abort(), 5);
    };
    await expect(copyData(await world.options({}, { onProgress, signal: interrupt.signal }))).rejects.toMatchObject({ exitCode: 130 });
    expect(await live()).toEqual(before);
    expect(await world.databases()).toEqual(["staging_db", "staging_db_previous"]);
    await noSessionsLeft(world.askSource);
  });
});
