import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { exitCode, UnderstudyError } from "../../../engine/errors.ts";
import { silent, type ProgressEvent } from "../../../engine/progress.ts";
import { failed, passed, skipped, verdict } from "../../../engine/validation/outcome.ts";
import { runChecks } from "../../../engine/validation/runChecks.ts";
import { contextOf, sampleCheck } from "./samples.ts";

const options = { contextOf, onProgress: silent, retryDelayMs: 5 };

describe("runChecks", () => {
  it("is errored, never passed, when a check throws, and says the innermost reason", async () => {
    const thrown = new Error("fetch failed", { cause: new AggregateError([new Error("connect ECONNREFUSED ::1"), new Error("connect ECONNREFUSED 127.0.0.1")]) });
    const [result] = await runChecks([sampleCheck({ run: () => Promise.reject(thrown) })], options);
    expect(result).toMatchObject({ status: "errored", evidence: "It could not run: fetch failed: connect ECONNREFUSED ::1; connect ECONNREFUSED 127.0.0.1" });
    expect(result?.remedy).toMatch(/\w/);
  });

  it("keeps the remedy of an error that has one", async () => {
    const run = () => Promise.reject(new UnderstudyError("no server", { exitCode: exitCode.provisioning, remedy: "Start it." }));
    expect(await runChecks([sampleCheck({ run })], options)).toMatchObject([{ status: "errored", evidence: "It could not run: no server", remedy: "Start it." }]);
  });

  it("is errored when a check throws before it returns anything", async () => {
    const run = () => {
      throw new TypeError("undefined is not a function");
    };
    expect(await runChecks([sampleCheck({ run })], options)).toMatchObject([{ status: "errored" }]);
  });

  it("gives a check up at its deadline, even one that ignores the signal, and the others go on", async () => {
    const startedAt = performance.now();
    const hangs = sampleCheck({ id: "infrastructure.hangs", timeoutMs: 60, run: () => new Promise(() => {}) });
    const results = await runChecks([hangs, sampleCheck()], options);
    expect(results.map(({ id, status }) => [id, status])).toEqual([
      ["infrastructure.hangs", "errored"],
      ["infrastructure.sample", "passed"],
    ]);
    expect(results[0]?.evidence).toBe("It did not end within 0.06 s.");
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });

  it("tries again what may come true later", async () => {
    let tries = 0;
    const run = () => Promise.resolve((tries += 1) < 3 ? failed("not yet", "Wait.") : passed("now"));
    expect(await runChecks([sampleCheck({ run, eventualMs: 5_000 })], options)).toMatchObject([{ status: "passed", evidence: "now" }]);
    expect(tries).toBe(3);
  });

  it("tries again what could not run at first", async () => {
    let tries = 0;
    const run = () => ((tries += 1) < 3 ? Promise.reject(new Error("refused")) : Promise.resolve(passed("now")));
    expect(await runChecks([sampleCheck({ run, eventualMs: 5_000 })], options)).toMatchObject([{ status: "passed" }]);
  });

  it("stops trying at the bound, and says how often it looked", async () => {
    const run = () => Promise.resolve(failed("down", "Start it."));
    const [result] = await runChecks([sampleCheck({ run, eventualMs: 40 })], options);
    expect(result?.evidence).toMatch(/^down \(still so after \d+ tries in 0\.\d s\)$/);
    expect(result?.status).toBe("failed");
  });

  it("does not try again what is not eventual, nor when patience is cut to nothing", async () => {
    for (const [eventualMs, patienceMs] of [[undefined, undefined], [5_000, 0]] as const) {
      let tries = 0;
      const run = () => {
        tries += 1;
        return Promise.resolve(failed("down", "Start it."));
      };
      await runChecks([sampleCheck({ run, ...(eventualMs === undefined ? {} : { eventualMs }) })], { ...options, patienceMs });
      expect(tries).toBe(1);
    }
  });

  it("does not try a skipped check again", async () => {
    let tries = 0;
    const run = () => {
      tries += 1;
      return Promise.resolve(skipped("off", "Switch it on."));
    };
    expect(await runChecks([sampleCheck({ run, eventualMs: 5_000 })], options)).toMatchObject([{ status: "skipped" }]);
    expect(tries).toBe(1);
  });

  it("measures alone: never beside another check", async () => {
    let running = 0;
    const beside: number[] = [];
    const work = async () => {
      running += 1;
      await sleep(10);
      running -= 1;
      return passed("done");
    };
    const measure = async () => {
      beside.push(running);
      return work();
    };
    const checks = [0, 1, 2, 3, 4, 5].map((index) => sampleCheck({ id: `infrastructure.c${index}`, run: index % 2 === 0 ? work : measure, alone: index % 2 === 1 }));
    const results = await runChecks(checks, { ...options, concurrency: 3 });
    expect(beside).toEqual([0, 0, 0]);
    expect(results.map(({ id }) => id)).toEqual(checks.map(({ id }) => id));
  });

  it("runs no more at once than it was told", async () => {
    let [running, most] = [0, 0];
    const run = async () => {
      running += 1;
      most = Math.max(most, running);
      await sleep(5);
      running -= 1;
      return passed("done");
    };
    await runChecks(Array.from({ length: 12 }, (_, index) => sampleCheck({ id: `infrastructure.c${index}`, run })), { ...options, concurrency: 4 });
    expect(most).toBe(4);
  });

  it("lets the outcome weigh otherwise than the check", async () => {
    const run = () => Promise.resolve({ ...failed("odd", "Look."), severity: "warning" as const });
    expect(await runChecks([sampleCheck({ run })], options)).toMatchObject([{ status: "failed", severity: "warning" }]);
  });

  it("stops when interrupted", async () => {
    const controller = new AbortController();
    const checks = [sampleCheck({ run: () => (controller.abort(), Promise.resolve(passed("x"))) }), ...Array.from({ length: 20 }, (_, index) => sampleCheck({ id: `infrastructure.c${index}` }))];
    await expect(runChecks(checks, { ...options, concurrency: 1, signal: controller.signal })).rejects.toThrow(/abort/i);
  });

  it("counts progress up to the number of checks", async () => {
    const events: ProgressEvent[] = [];
    await runChecks([sampleCheck(), sampleCheck({ id: "infrastructure.b", alone: true })], { ...options, onProgress: (event) => events.push(event) });
    expect(events.map(({ done, total, unit }) => [done, total, unit])).toEqual([[1, 2, "checks"], [2, 2, "checks"]]);
  });
});

describe("verdict", () => {
  it("throws when nothing was looked at", () => {
    expect(() => verdict([], { count: 0, evidence: "all fine", remedy: "none" })).toThrow("nothing to look at");
  });

  it("names a dozen problems and counts the others", () => {
    const problems = Array.from({ length: 15 }, (_, index) => `problem ${index}`);
    const { status, evidence } = verdict(problems, { count: 15, evidence: "fine", remedy: "Mend." });
    expect(status).toBe("failed");
    expect(evidence.split("\n")).toEqual([...problems.slice(0, 12), "and 3 more"]);
  });
});
