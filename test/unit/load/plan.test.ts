import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { arrivalsOf, durationOf, requestsOf } from "../../../engine/load/arrivals.ts";
import { requestsPerJourney } from "../../../engine/load/generate.ts";
import { requireLoopback } from "../../../engine/load/loopback.ts";
import { loadPlan, loadPlanOf, profileOf, type Stage } from "../../../engine/load/plan.ts";
import { scaled } from "../../../engine/load/run.ts";
import { fill, fillText, placeholdersOf } from "../../../engine/load/template.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";

const stage = (seconds: number, requestsPerSecond: number, ramp = false): Stage => ({ seconds, requestsPerSecond, ramp });

describe("arrivals", () => {
  it("are even at a steady rate, from the first moment", () => {
    const times = [...arrivalsOf([stage(2, 50)], 1)];
    expect(times).toHaveLength(100);
    times.forEach((time, index) => expect(time).toBeCloseTo(index * 20, 6));
  });

  it("come ever faster in a ramp, as many as its rate says, none before the one before", () => {
    const stages = [stage(2, 10), stage(4, 50, true), stage(1, 20)];
    const times = [...arrivalsOf(stages, 1)];
    expect(times.length).toBe(20 + 120 + 20);
    expect(requestsOf(stages)).toBe(160);
    expect(durationOf(stages)).toBe(7_000);
    for (const [index, time] of times.entries()) if (index > 0) expect(time).toBeGreaterThanOrEqual(times[index - 1] ?? 0);
    const within = (from: number, to: number) => times.filter((time) => time >= from && time < to).length;
    expect(within(0, 2_000)).toBe(20);
    // 10 rising to 20, then 40 rising to 50 a second.
    expect(within(2_000, 3_000)).toBe(15);
    expect(within(5_000, 6_000)).toBe(45);
    expect(within(6_000, 7_000)).toBe(20);
  });

  it("are of journeys: fewer than requests when each makes several", () => {
    expect([...arrivalsOf([stage(10, 40)], 4)]).toHaveLength(100);
  });
});

describe("templates", () => {
  it("keep the type of a value that is alone, and fill others as text", () => {
    expect(fill({ a: "{n}", b: ["{n} of {m}"], c: { d: true } }, { n: 3, m: "x" })).toEqual({ a: 3, b: ["3 of x"], c: { d: true } });
    expect(placeholdersOf({ a: "{n}", b: ["/x/{answer/id}"] })).toEqual(["n", "answer/id"]);
    expect(fillText("/no/placeholder", {})).toBe("/no/placeholder");
  });

  it("refuse a name that stands for nothing", () => {
    expect(() => fillText("/api/{gone}", { there: 1 })).toThrow("{gone} stands for nothing here");
    expect(() => fill({ a: "{gone}" }, {})).toThrow("{gone}");
  });
});

describe("the plan", () => {
  const workload = () => loadWorkload("workloads/architect");

  it("of architect has every smoke test and every target of document 003", async () => {
    const plan = await loadPlanOf(await workload());
    expect(Object.keys(plan.profiles)).toEqual(["light", "medium", "target", "heavy", "sustained"]);
    for (const profile of Object.values(plan.profiles)) expect(profile.targets).toMatchObject({ p50Ms: 100, p95Ms: 500, p99Ms: 1_000, maxMs: 2_000 });
    expect(plan.profiles["light"]?.targets.errorRate).toBe(0.001);
    const rates = (name: string) => Math.max(...profileOf(plan, name).stages.map(({ requestsPerSecond }) => requestsPerSecond));
    expect([rates("target"), rates("heavy")]).toEqual([500, 1_000]);
    expect(durationOf(profileOf(plan, "sustained").stages)).toBe(24 * 3_600_000);
    const steps = plan.journeys.flatMap((journey) => journey.steps.map(({ method, path }) => `${method} ${path.split("?")[0]?.replaceAll(/\{\w+\}/g, ":id")}`));
    for (const wanted of [
      "POST /api/auth/sign-in",
      "POST /api/auth/sign-out",
      "POST /api/events",
      "GET /api/events",
      "GET /api/events/:id",
      "DELETE /api/events/:id",
      "POST /api/errors",
      "GET /api/errors",
      "POST /api/errors/:id/resolve",
      "POST /api/notifications",
      "GET /api/notifications",
      "POST /api/notifications/:id/read",
      "DELETE /api/notifications/:id",
      "GET /health",
    ]) {
      expect(steps).toContain(wanted);
    }
  });

  it("names every wrong key at once: values that stand for nothing, doubles, what has no weight", async () => {
    const document = parse(await readFile("workloads/architect/load.yaml", "utf8")) as { journeys: Record<string, unknown>[]; profiles: Record<string, unknown> };
    const [first, second] = document.journeys;
    document.journeys = [
      { ...first, weight: 0, steps: [{ name: "a", path: "/api/{nobody}" }, { name: "b", path: "/x", capture: { later: "/id" } }, { name: "c", path: "/{later}" }] },
      { ...second, name: first?.["name"], weight: 0 },
    ];
    const result = loadPlan.safeParse({ ...document, profiles: { ...document.profiles, smoke: document.profiles["light"] } });
    const messages = result.error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
    expect(messages).toEqual([
      "journeys.0.steps.0: {nobody} stands for nothing",
      'journeys.1.name: "sign-in" is there twice',
      "profiles.smoke: is there by itself: every journey once",
      "journeys: none has a weight, so profiles have nothing to send",
    ]);
  });

  it("is made longer or faster in its shape, and never boundless", async () => {
    const medium = profileOf(await loadPlanOf(await workload()), "medium");
    const short = scaled(medium, { seconds: 7, requestsPerSecond: 20 });
    expect(short.stages.map(({ seconds, requestsPerSecond }) => [seconds, requestsPerSecond])).toEqual([[1, 20], [6, 20]]);
    expect(() => scaled(medium, { seconds: 86_400, requestsPerSecond: 10_000 })).toThrow("the most is 100000000");
  });

  it("says which profiles there are when one is unknown, and what to do when there is no plan", async () => {
    const plan = await loadPlanOf(await workload());
    expect(() => profileOf(plan, "huge")).toThrow(expect.objectContaining({ exitCode: 2, line: expect.stringContaining("smoke, light, medium, target, heavy, sustained") }));
    await expect(loadPlanOf({ ...(await workload()), manifest: { ...(await workload()).manifest, load: undefined } })).rejects.toMatchObject({ exitCode: 2, message: 'Workload "architect" has no load profiles.' });
  });

  it("asks for as many requests a journey as its weights say", () => {
    const step = { name: "s", method: "GET", path: "/", headers: {}, status: 200, expect: [], expectHeaders: {}, capture: {}, keepCookies: true, targets: {} } as const;
    const journey = (weight: number, steps: number) => ({ name: "j", title: "J", weight, signedIn: false, steps: Array.from({ length: steps }, () => ({ ...step, expect: [] })) });
    expect(requestsPerJourney([journey(3, 1), journey(1, 5)])).toBe(2);
  });
});

describe("loopback", () => {
  it.each(["https://localhost:8080", "http://127.0.0.1:3001", "http://127.9.9.9", "http://[::1]:80"])("takes %s", async (url) => {
    expect((await requireLoopback(url)).href).toBe(new URL(url).href);
  });

  it.each(["https://example.org", "http://10.0.1.10:8080", "http://0.0.0.0", "http://localhost.example.org", "http://127.0.0.1.example.org", "http://[::2]", "http://169.254.169.254/", "ftp://localhost", "nonsense"])(
    "planted: refuses %s",
    async (url) => {
      await expect(requireLoopback(url)).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining(url) });
    },
  );
});
