import { readFile } from "node:fs/promises";
import { z } from "zod";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { jsonExpectation } from "../validation/requirements.ts";
import { parseDocument, type Workload } from "../workload/manifest.ts";
import { placeholdersOf } from "./template.ts";

const identifier = z.string().regex(/^[a-z][a-z0-9-]*$/, "must be lower case words with hyphens");
const variable = z.string().regex(/^[A-Za-z]\w*$/, "must be letters and digits");
const milliseconds = z.number().positive().max(60_000);

/** One request of a journey. `{name}` in path, headers and JSON stands for a value: of `data`, captured before, or built in. */
const step = z.strictObject({
  /** Names its figures. Steps of several journeys may share one. */
  name: identifier,
  method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("GET"),
  path: z.string().startsWith("/"),
  headers: z.record(z.string(), z.string()).default({}),
  json: z.record(z.string(), z.unknown()).optional(),
  /** What must be answered. */
  status: z.int().min(100).max(599).default(200),
  expect: z.array(jsonExpectation).default([]),
  /** Headers of the answer as regular expressions; null: must not be there. */
  expectHeaders: z.record(z.string(), z.string().nullable()).default({}),
  /** Name → JSON pointer into the answer, for steps that follow. */
  capture: z.record(variable, z.string().startsWith("/")).default({}),
  /** Cookies of the answer are kept for the rest of the journey, as a browser does. Default true. */
  keepCookies: z.boolean().default(true),
  /** Asked again until it is as expected, for so long. Only in journeys without weight. */
  eventuallyMs: z.int().positive().max(10_000).optional(),
  /** Bounds of its own, instead of the profile's. */
  targets: z.strictObject({ p50Ms: milliseconds, p95Ms: milliseconds, p99Ms: milliseconds, maxMs: milliseconds }).partial().default({}),
});
export type Step = z.infer<typeof step>;

const journey = z.strictObject({
  name: identifier,
  /** What it shows when it holds: `Events can be created, read and removed`. */
  title: z.string().min(1),
  /** Its share of the load; 0: only in smoke tests. */
  weight: z.int().min(0).max(1_000).default(0),
  /** Default true: with the session of one of the accounts. */
  signedIn: z.boolean().default(true),
  steps: z.array(step).min(1).max(20),
});
export type Journey = z.infer<typeof journey>;

const stage = z.strictObject({
  /** Up to a day. */
  seconds: z.int().min(1).max(86_400),
  requestsPerSecond: z.number().min(1).max(10_000),
  /** From the rate of the stage before (or 0) evenly up or down to this one. Default: at once. */
  ramp: z.boolean().default(false),
});
export type Stage = z.infer<typeof stage>;

const targets = z.strictObject({
  p50Ms: milliseconds.optional(),
  p95Ms: milliseconds.optional(),
  p99Ms: milliseconds.optional(),
  maxMs: milliseconds.optional(),
  /** Share of requests that fail. */
  errorRate: z.number().min(0).max(1).default(0.01),
  /** Share of the requests asked for that were answered in time. */
  throughput: z.number().min(0).max(1).default(0.95),
});
export type Targets = z.infer<typeof targets>;

const profile = z.strictObject({
  title: z.string().min(1),
  stages: z.array(stage).min(1).max(20),
  targets: targets.prefault({}),
  /** Requests under way at once; what is due beyond waits, and its wait counts. */
  concurrency: z.int().min(1).max(1_000).default(200),
  /** An answer that takes longer is an error. */
  timeoutMs: z.int().min(100).max(60_000).default(10_000),
});
export type Profile = z.infer<typeof profile>;

const resource = z.strictObject({
  name: identifier,
  title: z.string().min(1),
  /** PromQL of one value; `{window}` is the time of the run, as in `[30s]`. */
  query: z.string().min(1),
  maximum: z.number(),
});
export type ResourceTarget = z.infer<typeof resource>;

/** Values that are there without being declared. */
export const builtIn = ["unique", "email", "password", "receiver"] as const;

/** `load.yaml` of a workload: what people do, how often, and how fast it must be. */
export const loadPlan = z
  .strictObject({
    version: z.literal(1),
    accounts: z.strictObject({
      /** SQL of rows with `email` and `role`, run as the read-only role. */
      sql: z.string().min(1),
      /** Sessions that the load is spread over; the proxy counts sign-ins, so they are made past it. */
      most: z.int().min(1).max(50).default(8),
    }),
    /** Name → SQL of one column, run as the read-only role; requests take its values in turn. */
    data: z.record(variable, z.string().min(1)).default({}),
    journeys: z.array(journey).min(1),
    profiles: z.record(identifier, profile),
    resources: z.array(resource).default([]),
    /** SQL that removes what journeys leave behind, run afterwards as the application's role. */
    cleanUp: z.array(z.string().min(1)).default([]),
  })
  .superRefine((plan, context) => {
    const issue = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path, message });
    plan.journeys.forEach(({ name, weight, steps }, place) => {
      if (plan.journeys.findIndex((other) => other.name === name) !== place) issue(["journeys", place, "name"], `"${name}" is there twice`);
      const known = new Set<string>([...builtIn, ...Object.keys(plan.data)]);
      steps.forEach((each, at) => {
        const unknown = placeholdersOf([each.path, each.headers, each.json]).filter((placeholder) => !known.has(placeholder));
        if (unknown.length > 0) issue(["journeys", place, "steps", at], `{${unknown.join("}, {")}} stands for nothing`);
        if (weight > 0 && each.eventuallyMs !== undefined) issue(["journeys", place, "steps", at, "eventuallyMs"], "is for journeys without weight");
        for (const captured of Object.keys(each.capture)) known.add(captured);
      });
    });
    if ("smoke" in plan.profiles) issue(["profiles", "smoke"], "is there by itself: every journey once");
    if (Object.keys(plan.profiles).length > 0 && plan.journeys.every(({ weight }) => weight === 0)) issue(["journeys"], "none has a weight, so profiles have nothing to send");
  });
export type LoadPlan = z.infer<typeof loadPlan>;

/**
 * Reads the workload's `load.yaml`.
 * @throws UnderstudyError (exit 2) when it has none, or naming every wrong key at once.
 */
export async function loadPlanOf(workload: Workload): Promise<LoadPlan> {
  const { load, name } = workload.manifest;
  if (load === undefined) {
    throw new UnderstudyError(`Workload "${name}" has no load profiles.`, { exitCode: exitCode.usage, remedy: "Write a load.yaml, and name it under `load` in workload.yaml; workloads/architect/load.yaml is one." });
  }
  const file = workload.path(load);
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new UnderstudyError(`The load profiles ${file} cannot be read: ${messageOf(cause)}.`, { exitCode: exitCode.usage, cause });
  });
  return parseDocument(loadPlan, text, file);
}

/** @throws UnderstudyError (exit 2) that names the profiles there are. */
export function profileOf(plan: LoadPlan, name: string): Profile {
  const found = plan.profiles[name];
  if (found !== undefined) return found;
  throw new UnderstudyError(`There is no load profile "${name}".`, { exitCode: exitCode.usage, remedy: `There are smoke, ${Object.keys(plan.profiles).join(", ")}.` });
}
