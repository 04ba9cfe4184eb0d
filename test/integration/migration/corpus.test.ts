import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CheckResult } from "../../../engine/report/check.ts";
import { startPostgres } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";
import { clonesLeft, fixtures, prepareShop, rehearseCase } from "./fixture.ts";

const atOnce = 3;
let server: TestServer;
let reports: string;

beforeAll(async () => {
  reports = await mkdtemp(join(tmpdir(), "understudy-corpus-"));
  server = await startPostgres({ max_connections: "120", full_page_writes: "off", autovacuum: "off" });
  await prepareShop(server);
});
afterAll(async () => {
  await server.stop("immediate");
  await rm(reports, { recursive: true, force: true });
});

async function eachCase<Result>(kind: "bad" | "good", work: (name: string, folder: string) => Promise<Result>): Promise<Result[]> {
  const queue = (await readdir(join(fixtures, kind))).sort();
  const results: Result[] = [];
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) results.push(await work(name, join(fixtures, kind, name)));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

const describeCheck = ({ id, status, evidence }: CheckResult) => `${id} ${status}: ${evidence}`;

test("every bad migration is found by the right check, and no good one gives a false alarm", { timeout: 300_000 }, async () => {
  const missed: string[] = [];
  const planted = await eachCase("bad", async (name, folder) => {
    const finds = JSON.parse(await readFile(join(folder, "finds.json"), "utf8")) as string[];
    const report = await rehearseCase(server, folder, reports, { only: finds });
    const wrong = finds.filter((id) => report.checks.find((check) => check.id === id)?.status !== "failed");
    for (const id of wrong) missed.push(`${name}: ${report.checks.filter((check) => check.id === id).map(describeCheck).join() || `${id} is not there`}`);
    return wrong.length === 0;
  });
  const alarms: string[] = [];
  const good = await eachCase("good", async (name, folder) => {
    const report = await rehearseCase(server, folder, reports);
    const alarmed = report.checks.filter(({ status, severity }) => status === "errored" || (status === "failed" && severity === "error"));
    alarms.push(...alarmed.map((check) => `${name}: ${describeCheck(check)}`));
    return report.verdict;
  });
  console.log(`found ${planted.filter(Boolean).length} / planted ${planted.length}, false alarms ${alarms.length} (in ${good.length} good migrations)`);
  expect({ missed, alarms }).toEqual({ missed: [], alarms: [] });
  expect(good.every((verdict) => verdict === "passed")).toBe(true);
  expect(planted.length).toBeGreaterThanOrEqual(25);
  expect(await clonesLeft(server)).toEqual([]);
});
