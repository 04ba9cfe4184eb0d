import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { headlineOf, buildReport, renderValidationPage, validationReport } from "../../../engine/validation/report.ts";
import { loadRequirements, requirements } from "../../../engine/validation/requirements.ts";
import type { CheckResult } from "../../../engine/report/check.ts";
import type { ValidationTarget } from "../../../engine/validation/target.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";

const workloads = fileURLToPath(new URL("../../../workloads", import.meta.url));

it("stories asks for something in every part", async () => {
  const asked = await loadRequirements(await loadWorkload(join(workloads, "stories")));
  expect(asked.performance).toMatchObject({ pageLoadMs: 3_000, queryMs: 100 });
  expect(asked.routes.filter(({ signedIn }) => signedIn).length).toBeGreaterThan(2);
  expect(asked.database.queries.length).toBeGreaterThan(3);
});

it("names every wrong key at once", async () => {
  const document = parse(await readFile(join(workloads, "stories/validation.yaml"), "utf8")) as Record<string, Record<string, unknown>>;
  const result = requirements.safeParse({ ...document, extra: 1, performance: { ...document["performance"], requests: 5_000 }, signIn: { ...document["signIn"], sessionKey: "session" } });
  expect(result.error?.issues.map(({ path }) => path.join(".")).sort()).toEqual(["", "performance.requests", "signIn.sessionKey"]);
});

const target = { stack: "local", platform: "process", httpsUrl: "https://localhost:8080", httpUrl: "http://localhost:8081", appUrl: "http://127.0.0.1:3001" } as ValidationTarget;
const facts = { target, workload: "sample", startedAt: new Date("2026-11-21T01:02:03Z"), durationMs: 1_234.5, quick: false, only: [], skip: [] };
const check = (over: Partial<CheckResult>): CheckResult => ({ id: "security.a", category: "security", title: "A holds", severity: "error", status: "passed", evidence: "seen", durationMs: 1, ...over });
const wrong = { remedy: "Mend it." };

it.each([
  [[check({})], "passed", "The one check that ran held."],
  [[check({}), check({ status: "skipped", ...wrong })], "passed", "The one check that ran held; 1 did not apply or was left out."],
  [[check({ status: "skipped", ...wrong })], "failed", "No check ran, so nothing was proved."],
  [[check({}), check({ status: "failed", severity: "warning", ...wrong })], "passed", "All 2 checks that ran held; 1 warned."],
  [[check({ status: "errored", evidence: "refused", ...wrong }), check({ status: "failed", title: "B", evidence: "broken\nmore", ...wrong })], "failed", "1 failed, 1 could not run. First: B: broken. And 1 more."],
] as const)("verdict and headline %#", (checks, verdict, headline) => {
  const report = buildReport([...checks], facts);
  expect(validationReport.parse(report)).toEqual(report);
  expect(report.verdict).toBe(verdict);
  expect(headlineOf(report)).toBe(headline);
  expect(renderValidationPage(report)).toContain("https://localhost:8080");
});
