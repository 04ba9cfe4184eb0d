import { setTimeout as sleep } from "node:timers/promises";
import { at, mismatches } from "../validation/jsonExpectation.ts";
import type { LoadAnswer, LoadClient } from "./client.ts";
import type { Journey, Step } from "./plan.ts";
import { fill, fillText, type Values } from "./template.ts";

/** One request as it went. */
export interface Sample {
  readonly step: Step;
  /** Milliseconds of `performance.now()`: when it was due (never after it was sent), when it was sent, when its answer had come. */
  readonly dueAt: number;
  readonly sentAt: number;
  readonly endedAt: number;
  /** What was wrong, in a few words and without values; nothing when it was as expected. */
  readonly problem: string | undefined;
}

export interface JourneyRun {
  readonly client: LoadClient;
  readonly values: Values;
  /** `name=value; …` to begin with. */
  readonly cookie: string | undefined;
  /** When its first request is due; each other one is when the one before has ended. */
  readonly dueAt: number;
  /** Whether steps that come true only after a while are asked again. */
  readonly patient: boolean;
  record(sample: Sample): void;
}

const pauseMs = 100;

/** Makes a journey's requests one after the other. Ends with the first that is not as expected. */
export async function runJourney(journey: Journey, run: JourneyRun): Promise<void> {
  const values: Record<string, unknown> = { ...run.values };
  const cookies = new Map(parseCookies(run.cookie));
  let { dueAt } = run;
  for (const step of journey.steps) {
    const until = performance.now() + (run.patient ? (step.eventuallyMs ?? 0) : 0);
    let sample: Sample;
    for (;;) {
      sample = await request(step, { ...run, values, cookies, dueAt });
      if (sample.problem === undefined || performance.now() + pauseMs > until) break;
      await sleep(pauseMs);
      dueAt = performance.now();
    }
    run.record(sample);
    if (sample.problem !== undefined) return;
    dueAt = sample.endedAt;
  }
}

interface StepRun {
  readonly client: LoadClient;
  readonly values: Record<string, unknown>;
  readonly cookies: Map<string, string>;
  readonly dueAt: number;
}

async function request(step: Step, run: StepRun): Promise<Sample> {
  const { client, values, cookies } = run;
  const sentAt = performance.now();
  // A timer may be a moment early: that must not make an answer faster than it was.
  const dueAt = Math.min(run.dueAt, sentAt);
  const done = (problem: string | undefined): Sample => ({ step, dueAt, sentAt, endedAt: performance.now(), problem });
  try {
    const answer = await client.send({
      method: step.method,
      path: fillText(step.path, values),
      headers: {
        accept: "application/json",
        "user-agent": "understudy-load",
        ...(cookies.size === 0 ? {} : { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") }),
        ...(step.json === undefined ? {} : { "content-type": "application/json" }),
        ...Object.fromEntries(Object.entries(step.headers).map(([name, value]) => [name, fillText(value, values)])),
      },
      body: step.json === undefined ? null : JSON.stringify(fill(step.json, values)),
      wantsBody: step.expect.length > 0 || Object.keys(step.capture).length > 0,
    });
    const endedAt = performance.now();
    if (step.keepCookies) keepCookies(cookies, answer);
    return { step, dueAt, sentAt, endedAt, problem: problemOf(step, answer, values) };
  } catch (error) {
    return done(describe(error));
  }
}

/** What of an answer is not as expected; captures what the next steps need. */
function problemOf(step: Step, answer: LoadAnswer, values: Record<string, unknown>): string | undefined {
  if (answer.status !== step.status) return `status ${answer.status}`;
  for (const [name, pattern] of Object.entries(step.expectHeaders)) {
    const value = [answer.headers[name.toLowerCase()] ?? []].flat().join("\n");
    if (pattern === null ? value !== "" : !new RegExp(pattern, "i").test(value)) return pattern === null ? `header ${name} is there` : `header ${name} is not as expected`;
  }
  if (step.expect.length === 0 && Object.keys(step.capture).length === 0) return undefined;
  let document: unknown;
  try {
    document = JSON.parse(answer.body);
  } catch {
    return "no JSON";
  }
  const wrong = mismatches(document, step.expect);
  if (wrong.length > 0) return wrong[0];
  for (const [name, pointer] of Object.entries(step.capture)) {
    const value = at(document, pointer);
    if (value === undefined || value === null) return `${pointer} is not there`;
    values[name] = value;
  }
  return undefined;
}

function parseCookies(header: string | undefined): [string, string][] {
  return (header ?? "").split("; ").flatMap((pair): [string, string][] => {
    const place = pair.indexOf("=");
    return place < 1 ? [] : [[pair.slice(0, place), pair.slice(place + 1)]];
  });
}

/** As a browser: what is set is kept, what is emptied is gone. */
function keepCookies(cookies: Map<string, string>, { headers }: LoadAnswer): void {
  for (const line of [headers["set-cookie"] ?? []].flat()) {
    const [[name, value] = ["", ""]] = parseCookies(line.split(";")[0]);
    if (name === "") continue;
    if (value === "" || /max-age=0\b/i.test(line)) cookies.delete(name);
    else cookies.set(name, value);
  }
}

function describe(error: unknown): string {
  if (typeof error === "object" && error !== null && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.message : String(error);
}
