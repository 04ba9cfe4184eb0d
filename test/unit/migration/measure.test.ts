import { assert, integer, property } from "fast-check";
import { describe, expect, test } from "vitest";
import { cloneName, keptName, newRunId, runOfClone } from "../../../engine/migration/clones/names.ts";
import { summariseSlices } from "../../../engine/migration/page/slices.ts";
import { niceStep } from "../../../engine/migration/page/timeline.ts";
import { manualName, stoppedBy } from "../../../engine/migration/run/locks.ts";
import { defaultRetries, isRetryable, pauseMs } from "../../../engine/migration/run/retry.ts";
import { extrapolate } from "../../../engine/migration/scenarios/extrapolation.ts";
import { compareRules } from "../../../engine/migration/scenarios/integrityRules.ts";
import { spread } from "../../../engine/migration/scenarios/kills.ts";
import { summarise } from "../../../engine/migration/traffic/kinds.ts";
import { isBreakage } from "../../../engine/migration/traffic/traffic.ts";
import type { CheckResult } from "../../../engine/report/check.ts";

describe("retries", () => {
  const error = (code: string) => Object.assign(new Error("x"), { code });
  test("only a lock timeout, a deadlock and a serialization failure", () => {
    expect(["55P03", "40P01", "40001"].every((code) => isRetryable(error(code)))).toBe(true);
    expect(["23505", "42703", "57014", "57P01", "55P04"].some((code) => isRetryable(error(code)))).toBe(false);
    expect(isRetryable(new Error("connection gone"))).toBe(false);
  });
  test("pauses grow, are jittered and bounded", () => {
    expect([2, 3, 4].map((next) => pauseMs(defaultRetries, next, () => 1))).toEqual([50, 100, 200]);
    expect(pauseMs(defaultRetries, 3, () => 0)).toBe(50);
    assert(property(integer({ min: 2, max: 60 }), (next) => pauseMs(defaultRetries, next) <= defaultRetries.longestPauseMs));
  });
});

describe("clone names", () => {
  test("tell the run, and only clones of the same database are recognised", () => {
    const run = newRunId();
    expect(runOfClone("staging_db", cloneName("staging_db", run, 12))).toBe(run);
    expect(runOfClone("other", cloneName("staging_db", run, 1))).toBeUndefined();
    for (const name of ["staging_db", keptName("staging_db", run), "staging_db_rehearsal_mine", "staging_db_rehearsal_"]) expect(runOfClone("staging_db", name)).toBeUndefined();
  });
  test("fit PostgreSQL's 63 bytes, whatever the database is called", () => {
    const long = "ü".repeat(30);
    const run = newRunId();
    const name = cloneName(long, run, 999);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(63);
    expect(runOfClone(long, name)).toBe(run);
  });
});

test("lock modes by whom they stop", () => {
  expect(["AccessExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "ShareUpdateExclusiveLock", "RowExclusiveLock"].map(stoppedBy)).toEqual(["readers", "writers", "writers", "writers", "nobody", "nobody"]);
  expect(manualName("ShareUpdateExclusiveLock")).toBe("SHARE UPDATE EXCLUSIVE");
});

describe("extrapolation", () => {
  test("follows a straight line, and its range holds it", () => {
    const points = [{ rows: 1_000, ms: 110 }, { rows: 10_000, ms: 200 }];
    const { lowMs, estimateMs, highMs } = extrapolate(points, 1_000_000);
    expect(estimateMs).toBeCloseTo(10_100, 0);
    expect(lowMs).toBeLessThan(estimateMs);
    expect(highMs).toBeGreaterThan(estimateMs);
  });
  test("some milliseconds of jitter are no growth: the low end stays low", () => {
    expect(extrapolate([{ rows: 5_000, ms: 2 }, { rows: 13_000, ms: 8 }], 1_000_000).lowMs).toBeLessThan(10);
    expect(extrapolate([{ rows: 2_000, ms: 80 }, { rows: 50_000, ms: 1_500 }], 1_000_000).lowMs).toBeGreaterThan(10_000);
  });
  test("widens with the distance, and never turns negative", () => {
    const points = [{ rows: 1_000, ms: 50 }, { rows: 10_000, ms: 40 }];
    const width = (rows: number) => { const { lowMs, highMs } = extrapolate(points, rows); return highMs - lowMs; };
    expect(width(10_000_000)).toBeGreaterThan(width(100_000));
    expect(extrapolate(points, 10_000_000).lowMs).toBeGreaterThanOrEqual(0);
  });
});

describe("traffic", () => {
  const request = (latencyMs: number, state?: string) => ({ name: "q", kind: "read" as const, dueAt: 100, endedAt: 100 + latencyMs, error: state === undefined ? undefined : "x", state });
  test("quantiles and worst", () => {
    expect(summarise(Array.from({ length: 100 }, (_, index) => request(index + 1)))).toEqual({ requests: 100, errors: 0, p50Ms: 50, p99Ms: 99, worstMs: 100 });
    expect(summarise([])).toEqual({ requests: 0, errors: 0, p50Ms: 0, p99Ms: 0, worstMs: 0 });
  });
  test("a timeout or deadlock is no breakage; a missing column is", () => {
    expect([undefined, "55P03", "40P01", "57014", "42703", "23505"].map((state) => isBreakage(request(1, state)))).toEqual([false, false, false, false, true, true]);
  });
  test("slices hold the slowest of their time", () => {
    const slices = summariseSlices([{ kind: "read", dueMs: 3, latencyMs: 40, failed: false }, { kind: "write", dueMs: 4, latencyMs: 7, failed: true }], 100);
    expect(slices.length).toBeLessThanOrEqual(100);
    expect(slices.filter(({ requests }) => requests > 0)).toEqual([expect.objectContaining({ readMs: 40, writeMs: 7, requests: 2, failed: 1 })]);
  });
});

test("kills are spread over a long file, ends included", () => {
  expect(spread([1, 2, 3], 8)).toEqual([1, 2, 3]);
  expect(spread(Array.from({ length: 100 }, (_, index) => index), 5)).toEqual([0, 25, 50, 74, 99]);
});

test("ticks of the axis are 1, 2 or 5 times a power of ten", () => {
  expect([0.9, 3, 11, 60, 700].map(niceStep)).toEqual([1, 5, 20, 100, 1_000]);
});

test("the workload's rules: what broke is told, what was broken before is not blamed on the migration", () => {
  const rule = (id: string, status: CheckResult["status"]): CheckResult => ({ id, category: "integrity", title: id, severity: "error", status, evidence: "seen", durationMs: 1 });
  expect(compareRules([rule("a", "passed"), rule("b", "failed")], [rule("a", "passed"), rule("b", "failed")])).toMatchObject({ status: "passed", evidence: expect.stringContaining("b (failed)") as string });
  expect(compareRules([rule("a", "passed")], [rule("a", "failed")]).status).toBe("failed");
  expect(compareRules([rule("a", "passed")], [rule("a", "errored")]).status).toBe("failed");
});
