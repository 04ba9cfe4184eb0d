import { spawn } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyData } from "../../../engine/copy/copy.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import { tableChecksums } from "../../support/checksums.ts";
import { fillWithStories, startCopyWorld } from "../../support/copyWorld.ts";
import type { CopyWorld } from "../../support/copyWorld.ts";

let world: CopyWorld;

beforeAll(async () => {
  world = await startCopyWorld(fillWithStories(100));
  await copyData(await world.options({}, { limit: 20 }));
});
afterAll(() => world.stop());

const live = () => tableChecksums(connectionOf(world.staging, "admin"));

/** Sessions of a killed run end by themselves; the source's at the latest when they next look at their socket. */
const noSessionsLeft = async (): Promise<void> => {
  await expect
    .poll(async () => (await world.askSource("SELECT count(*)::int FROM pg_stat_activity WHERE application_name LIKE 'understudy%'"))[0], { timeout: 10_000 })
    .toEqual({ count: 0 });
};

async function copyUntil(stopAt: string): Promise<{ kill: () => Promise<void> }> {
  const { workload: _workload, onProgress: _onProgress, ...options } = await world.options();
  const script = join(import.meta.dirname, "copyForever.ts");
  const child = spawn(process.execPath, [script, JSON.stringify({ options, stopAt })], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    child.once("exit", () => reject(new Error(`never came to "${stopAt}"`)));
  });
  return {
    kill: async () => {
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("close", resolve));
    },
  };
}

const stages = ["choose rows", "dump the schema", "make the tables", "User", "build indexes and constraints", "scan for leaks", "switch"];

describe.sequential("a copy killed with -9", () => {
  test.each(stages)('at "%s": staging is as it was, and in use', async (stage) => {
    const before = await live();
    const { kill } = await copyUntil(stage);
    await kill();
    expect(await live()).toEqual(before);
    expect((await world.databases()).filter((name) => !["staging_db", "staging_db_next", "staging_db_previous"].includes(name))).toEqual([]);
    await noSessionsLeft();
  });

  test("the next run clears away what is left and converges", async () => {
    expect(await world.databases()).toContain("staging_db_next");
    const { report } = await copyData(await world.options());
    expect(report).toMatchObject({ verdict: "passed", switched: true });
    expect(await world.databases()).toEqual(["staging_db", "staging_db_previous"]);
    await noSessionsLeft();
  });

  test("in the middle of the switch, at whatever moment: the old staging or the new one, whole", async () => {
    const users = async () => (await world.askStaging(`SELECT count(*)::int FROM "User"`))[0]?.["count"];
    await copyData(await world.options({}, { limit: 20 }));
    for (const delayMs of [10, 60]) {
      const { workload: _workload, onProgress: _onProgress, ...options } = await world.options();
      const script = join(import.meta.dirname, "copyAndTellOfSwitch.ts");
      const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
      const closed = new Promise((resolve) => child.once("close", resolve));
      await new Promise((resolve) => child.stdout.once("data", resolve));
      await sleep(delayMs);
      child.kill("SIGKILL");
      await closed;
      await expect.poll(async () => users().catch(() => 0), { timeout: 10_000 }).toSatisfy((count) => count === 10 || count === 20);
    }
    await copyData(await world.options());
    expect(await world.databases()).toEqual(["staging_db", "staging_db_previous"]);
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
    await noSessionsLeft();
  });
});
