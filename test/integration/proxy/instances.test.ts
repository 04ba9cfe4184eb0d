import { access, chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accountFor } from "../../../engine/process/account.ts";
import { resolveProgram } from "../../../engine/process/executables.ts";
import { layoutOf, type StackLayout } from "../../../engine/process/layout.ts";
import { restartInstance } from "../../../engine/process/rolling.ts";
import { serviceState, startService, stopService } from "../../../engine/process/service.ts";
import { startSupervisor, stopSupervisor } from "../../../engine/process/supervisor.ts";
import { startNginx, type Answer, type TestNginx } from "../../support/nginx.ts";
import { freePort } from "../../support/ports.ts";

/** Answers with its name; a POST to /slow takes its time. Finishes what it has when it is told to end. */
const program = `
import { createServer } from "node:http";
const [name, port, broken] = process.argv.slice(2);
const server = createServer((request, response) => {
  const wait = request.url === "/slow" ? 900 : request.url === "/health" ? 0 : 20;
  request.resume();
  if (broken === "broken" && request.url === "/health") response.statusCode = 500;
  setTimeout(() => response.end(name), wait);
});
server.listen(Number(port), "127.0.0.1");
process.once("SIGTERM", () => {
  server.close(() => process.exit(0));
  setInterval(() => server.closeIdleConnections(), 50);
});
`;

const names = ["app", "app-2", "app-3"] as const;
let root: string;
let layout: StackLayout;
let nginx: TestNginx;
let flags: string;
const ports: Record<string, number> = {};

const flagOf = (name: string) => join(flags, `drain-${name}.on`);
const pidOf = async (name: string) => (await serviceState(layout, name)).pid;

async function start(name: string, mode = ""): Promise<void> {
  const account = await accountFor(["nobody"]);
  await startService(layout, {
    name,
    argv: [await resolveProgram("node", layout, account), join(root, "app.mjs"), name, String(ports[name]), mode],
    environment: {},
    files: [],
    account,
    logs: { timestamps: true, routes: [] },
  });
}

async function untilAnswers(name: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await fetch(`http://127.0.0.1:${ports[name]}/health`).then(({ ok }) => ok, () => false)) return;
    await sleep(50);
  }
  throw new Error(`${name} does not answer`);
}

/** Requests from six visitors until it is stopped, every third with side effects. */
function startLoad(): { stop(): Promise<readonly Answer[]> } {
  const answers: Answer[] = [];
  const stopped = new AbortController();
  const visitors = Array.from({ length: 6 }, async (_, visitor) => {
    for (let count = visitor; !stopped.signal.aborted; count += 1) {
      const post = count % 3 === 0;
      answers.push(await nginx.get("/work", post ? { method: "POST", body: "x=1" } : {}).catch((error: Error) => ({ status: 0, headers: {}, body: error.message })));
    }
  });
  return {
    stop: async () => {
      stopped.abort();
      await Promise.all(visitors);
      return answers;
    },
  };
}

const restart = (name: string) => restartInstance({ layout, name, healthUrl: `http://127.0.0.1:${ports[name]}/health`, drainFile: flagOf(name) });
const exists = (path: string) => access(path).then(() => true, () => false);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "understudy-instances-"));
  await chmod(root, 0o711);
  await writeFile(join(root, "app.mjs"), program);
  layout = layoutOf(`instances-${process.pid}`, root);
  await startSupervisor(layout);
  for (const name of names) ports[name] = await freePort();
  await Promise.all(names.map((name) => start(name)));
  await Promise.all(names.map(untilAnswers));
  flags = await mkdtemp(join(root, "flags-"));
  await chmod(flags, 0o755);
  nginx = await startNginx({
    upstreams: names.map((name) => ({ host: "127.0.0.1", port: ports[name] ?? 0, drainFlagFile: flagOf(name) })),
    rateLimits: { pagesPerSecond: 10_000, pagesBurst: 10_000 },
  });
});
afterAll(async () => {
  await nginx?.stop();
  expect(await stopSupervisor(layout)).toEqual([]);
  await rm(root, { recursive: true, force: true });
});

describe("three instances behind the proxy", () => {
  it("share the requests out", async () => {
    const load = startLoad();
    await sleep(500);
    const answers = await load.stop();
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set(names));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
  });

  it("are restarted one at a time without a failed request, with side effects or without", async () => {
    const before = await Promise.all(names.map(pidOf));
    const load = startLoad();
    for (const name of names) await restart(name);
    const answers = await load.stop();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(answers.length).toBeGreaterThan(50);
    const after = await Promise.all(names.map(pidOf));
    for (const [index, pid] of after.entries()) expect(pid).not.toBe(before[index]);
    for (const name of names) expect(await exists(flagOf(name)), name).toBe(false);
  });

  it("finish what they have when they are restarted", async () => {
    const slow = Array.from({ length: 6 }, () => nginx.get("/slow", { method: "POST", body: "x=1" }));
    await sleep(200);
    await restart("app-2");
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
  });

  it("get nothing new while their flag is up, without a reload", async () => {
    await writeFile(flagOf("app"), "");
    await chmod(flagOf("app"), 0o644);
    const bodies = (await Promise.all(Array.from({ length: 20 }, () => nginx.get("/work")))).map(({ body }) => body);
    await rm(flagOf("app"));
    expect(new Set(bodies)).toEqual(new Set(["app-2", "app-3"]));
    const after = (await Promise.all(Array.from({ length: 20 }, () => nginx.get("/work")))).map(({ body }) => body);
    expect(after).toContain("app");
  });

  it("stand in for one that is killed: nothing fails but what it had, and that is not sent twice", async () => {
    const pid = await pidOf("app-3");
    const slow = Array.from({ length: 6 }, () => nginx.get("/slow", { method: "POST", body: "x=1" }));
    await sleep(200);
    process.kill(pid ?? 0, "SIGKILL");
    const load = startLoad();
    await sleep(2_500);
    expect((await load.stop()).filter(({ status }) => status !== 200)).toEqual([]);
    const inFlight = (await Promise.all(slow)).map(({ status, body }) => (status === 200 ? body : status));
    expect(inFlight.filter((answer) => answer === 502)).toHaveLength(2);
    expect(inFlight.filter((answer) => answer === "app-3")).toEqual([]);
    await untilAnswers("app-3");
  });

  it("stay out of use when they do not become healthy, and the others go on", async () => {
    await stopService(layout, "app-2");
    await start("app-2", "broken");
    const giveUp = restartInstance({ layout, name: "app-2", healthUrl: `http://127.0.0.1:${ports["app-2"]}/health`, drainFile: flagOf("app-2"), settings: { intervalMs: 100, timeoutMs: 500, retries: 3, startPeriodMs: 500 } });
    await expect(giveUp).rejects.toMatchObject({ exitCode: 3 });
    const bodies = (await Promise.all(Array.from({ length: 20 }, () => nginx.get("/work")))).map(({ body }) => body);
    expect(bodies).not.toContain("app-2");
    await start("app-2");
    await restart("app-2");
    expect((await Promise.all(Array.from({ length: 20 }, () => nginx.get("/work")))).map(({ body }) => body)).toContain("app-2");
  });
});
