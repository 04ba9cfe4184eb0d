import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { exitCode } from "../../../engine/errors.ts";
import { runLoad } from "../../../engine/load/run.ts";
import { silent } from "../../../engine/progress.ts";
import { validateStaging } from "../../../engine/validation/validate.ts";
import { loadWorkload, type Workload } from "../../../engine/workload/manifest.ts";
import { startArchitect, type TestArchitect } from "../../support/architectStack.ts";

let stack: TestArchitect;
let workload: Workload;
let reports: string;

beforeAll(async () => {
  workload = await loadWorkload("workloads/architect");
  reports = await mkdtemp(join(tmpdir(), "understudy-architect-reports-"));
  stack = await startArchitect({ instances: 2 });
});
afterAll(async () => {
  await stack?.stop();
  await rm(reports, { recursive: true, force: true });
});

const load = (profile: string, changes: { seconds?: number; requestsPerSecond?: number } = {}) =>
  runLoad({ target: stack.target, workload, profile, reportsFolder: reports, onProgress: silent, ...changes });

it("answers every journey of the smoke tests as it should, and keeps nothing of them", async () => {
  const counts = () => stack.sql("SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM error_groups) AS groups, (SELECT count(*) FROM webhooks) AS webhooks, (SELECT count(*) FROM api_tokens) AS tokens, (SELECT count(*) FROM notifications) AS notifications");
  const before = await counts();
  const { report, exitCode: code } = await load("smoke");
  expect(report.checks.filter(({ status }) => status !== "passed").map(({ id, evidence }) => `${id}: ${evidence}`)).toEqual([]);
  expect(report.checks.length).toBeGreaterThan(15);
  expect(code).toBe(exitCode.done);
  expect(await counts()).toEqual(before);
});

it("validate", async () => {
  const { report } = await validateStaging({ target: stack.target, workload, reportsFolder: reports, onProgress: silent });
  expect(report.checks.filter(({ status }) => status !== "passed").map(({ id, status, evidence }) => `${id} ${status}: ${evidence}`)).toEqual([]);
});

it("load", async () => {
  const { report, files } = await load("light", { seconds: 8, requestsPerSecond: 80 });
  console.log(files.html, JSON.stringify(report.load?.all), report.load?.perSecond);
  expect(report.checks.filter(({ status }) => status !== "passed").map(({ id, status, evidence }) => `${id} ${status}: ${evidence}`)).toEqual([]);
});
