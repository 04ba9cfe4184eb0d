import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runWatched, type WatchedEnd } from "../../../tools/engine/watched.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-watched-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (script: string): Promise<WatchedEnd> =>
  runWatched({ command: "sh", args: ["-c", script], cwd: folder, env: process.env, fills: { folder, stallMs: 1000 } });

test("hands on output and exit code", async () => {
  expect(await run("echo out; echo err >&2; exit 3")).toEqual({ code: 3, output: expect.stringMatching(/out\n/), stalled: false });
});

test("kills what fetches nothing any more, with its children", async () => {
  const startedMs = performance.now();
  const end = await run("sleep 60 & echo $! >child; wait");
  expect(end.stalled).toBe(true);
  expect(performance.now() - startedMs).toBeLessThan(8000);
  const child = Number(await readFile(join(folder, "child"), "utf8"));
  await expect.poll(() => isRunning(child)).toBe(false);
});

test("leaves a slow one alone for as long as something comes", async () => {
  const end = await run("for i in 1 2 3 4 5 6 7; do echo $i >>file; sleep 0.3; done");
  expect(end).toMatchObject({ code: 0, stalled: false });
});

async function isRunning(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return state !== undefined && !/\) Z /.test(state);
}
