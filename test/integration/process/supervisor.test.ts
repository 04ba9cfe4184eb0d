import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { accountFor, isRoot, type Account } from "../../../engine/process/account.ts";
import { layoutOf, type StackLayout } from "../../../engine/process/layout.ts";
import { isAlive, processesOf } from "../../../engine/process/proc.ts";
import { logTail, reloadService, removeService, serviceState, startService, stopService, type ServiceDefinition } from "../../../engine/process/service.ts";
import { isSupervisorUp, startSupervisor, stopSupervisor } from "../../../engine/process/supervisor.ts";

let root: string;
let layout: StackLayout;
let account: Account | undefined;

const definition = (name: string, script: string, rest: Partial<ServiceDefinition> = {}): ServiceDefinition => ({
  name,
  argv: ["/bin/sh", "-c", script],
  environment: {},
  files: [],
  account,
  logs: { timestamps: true, routes: [] },
  ...rest,
});

async function until(condition: () => Promise<boolean>, timeoutMs: number): Promise<number> {
  const startedAt = Date.now();
  while (!(await condition())) {
    if (Date.now() - startedAt > timeoutMs) throw new Error(`not within ${timeoutMs} ms`);
    await sleep(20);
  }
  return Date.now() - startedAt;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "understudy-s6-"));
  layout = layoutOf(`test-${process.pid}`, root);
  account = await accountFor(["nobody"]);
  // Service accounts must be able to pass through the folder above.
  await chmod(root, 0o711);
  await startSupervisor(layout);
});

afterAll(async () => {
  expect(await stopSupervisor(layout)).toEqual([]);
  expect(await processesOf(layout)).toEqual([]);
  await rm(root, { recursive: true, force: true });
});

describe("a supervised service", () => {
  it("is back within two seconds when it is killed", async () => {
    await startService(layout, definition("steady", "exec sleep 1000"));
    await until(async () => (await serviceState(layout, "steady")).up, 3_000);
    const { pid } = await serviceState(layout, "steady");
    process.kill(pid ?? 0, "SIGKILL");
    const tookMs = await until(async () => {
      const state = await serviceState(layout, "steady");
      return state.up && state.pid !== pid;
    }, 5_000);
    expect(tookMs).toBeLessThan(2_000);
    const { exits } = await serviceState(layout, "steady");
    expect(exits).toHaveLength(1);
    expect(exits[0]).toMatchObject({ code: null, signal: "SIGKILL" });
    expect(Math.abs((exits[0]?.atMs ?? 0) - Date.now())).toBeLessThan(10_000);
  });

  it("runs as its own account, with its secrets in the environment and in no argument", async () => {
    await startService(layout, definition("secretive", 'id -un; echo "$PASSWORD" | tr "\\n" "|"; echo; exec sleep 1000', { environment: { PASSWORD: "first line\nse'cond" } }));
    await until(async () => (await logTail(layout, "secretive")).length >= 2, 3_000);
    const lines = (await logTail(layout, "secretive")).map((line) => line.replace(/^\S+ \S+\s+/, ""));
    expect(lines[0]).toBe(isRoot() ? "nobody" : process.env["USER"]);
    expect(lines[1]).toContain("first line|se'cond");
    const script = await readFile(join(layout.service("secretive"), "run"), "utf8");
    expect(script).not.toContain("cond");
    for (const { pid } of await processesOf(layout)) {
      expect(await readFile(`/proc/${pid}/cmdline`, "utf8")).not.toContain("cond");
    }
  });

  it("counts the deaths of a crash loop", async () => {
    await startService(layout, definition("crashing", "exit 3"));
    await until(async () => (await serviceState(layout, "crashing")).exits.length >= 2, 5_000);
    const { exits } = await serviceState(layout, "crashing");
    expect(exits.every(({ code }) => code === 3)).toBe(true);
    await removeService(layout, "crashing");
  });

  it("says when it was stopped by hand", async () => {
    await startService(layout, definition("stopped", "exec sleep 1000"));
    await until(async () => (await serviceState(layout, "stopped")).up, 3_000);
    await stopService(layout, "stopped");
    expect(await serviceState(layout, "stopped")).toMatchObject({ up: false, wantedUp: false });
  });

  it("keeps routed lines apart and rotates what is written", async () => {
    const script = 'i=0; while [ $i -lt 14000 ]; do echo "plain $i ............................................................................................"; i=$((i+1)); done; echo "2026 [STAGING] x"; exec sleep 1000';
    await startService(layout, definition("noisy", script, { logs: { timestamps: false, routes: [{ name: "access", pattern: "^[^ ]+ \\[STAGING\\] " }] } }));
    const access = join(layout.logs("noisy"), "access", "current");
    await until(async () => (await readFile(access, "utf8").catch(() => "")).includes("[STAGING]"), 20_000);
    expect(await readFile(access, "utf8")).toBe("2026 [STAGING] x\n");
    const rotated = (await readdir(layout.logs("noisy"))).filter((name) => name.startsWith("@"));
    expect(rotated.length).toBeGreaterThan(0);
    expect(await readFile(join(layout.logs("noisy"), "current"), "utf8")).not.toContain("[STAGING]");
  });

  it("reads new files on a signal, and keeps its process", async () => {
    const script = "trap 'cat conf' HUP; while :; do sleep 0.05; done";
    const first = definition("reloading", script, { files: [{ path: "conf", content: "one\n" }] });
    await startService(layout, first);
    await until(async () => (await serviceState(layout, "reloading")).up, 3_000);
    await sleep(200);
    const { pid } = await serviceState(layout, "reloading");
    await reloadService(layout, { ...first, files: [{ path: "conf", content: "two\n" }] }, "SIGHUP");
    await until(async () => (await logTail(layout, "reloading")).some((line) => line.endsWith("two")), 3_000);
    expect((await serviceState(layout, "reloading")).pid).toBe(pid);
  });

  it("is gone with everything but its data when it is removed", async () => {
    await startService(layout, definition("leaving", "exec sleep 1000"));
    await until(async () => (await serviceState(layout, "leaving")).up, 3_000);
    const { pid } = await serviceState(layout, "leaving");
    await removeService(layout, "leaving");
    expect(isAlive(pid ?? 0)).toBe(false);
    expect(await readdir(layout.scan)).not.toContain("leaving");
    for (const folder of [layout.service("leaving"), layout.config("leaving"), layout.logs("leaving")]) {
      await expect(readdir(folder)).rejects.toThrow(/ENOENT/);
    }
  });
});

describe("the supervisor", () => {
  it("converges after it was killed: orphans are ended, services run once", async () => {
    await startService(layout, definition("orphan", "exec sleep 1000"));
    await until(async () => (await serviceState(layout, "orphan")).up, 3_000);
    const before = await processesOf(layout);
    const scanner = before.find(({ command }) => command.startsWith("s6-svscan"));
    process.kill(scanner?.pid ?? 0, "SIGKILL");
    await until(async () => !(await isSupervisorUp(layout)), 3_000);
    await startSupervisor(layout);
    await until(async () => (await serviceState(layout, "orphan")).up, 5_000);
    const sleeping = (await processesOf(layout)).filter(({ command }) => command === "sleep 1000");
    const names = (await readdir(layout.scan)).filter((name) => !name.startsWith("."));
    expect(sleeping.length).toBeLessThanOrEqual(names.length);
    for (const { pid } of sleeping) expect(before.map((one) => one.pid)).not.toContain(pid);
  });

  it("is not started twice", async () => {
    await startSupervisor(layout);
    expect((await processesOf(layout)).filter(({ command }) => command.startsWith("s6-svscan"))).toHaveLength(1);
  });
});

describe("a service whose supervisor died", () => {
  it("is removed at once, not waited for", async () => {
    const dead = layoutOf(`dead-${process.pid}`, root);
    await startSupervisor(dead);
    await startService(dead, definition("left", "exec sleep 1000"));
    for (const { pid } of await processesOf(dead)) process.kill(pid, "SIGKILL");
    await until(async () => !(await isSupervisorUp(dead)), 3_000);
    const startedAt = Date.now();
    await removeService(dead, "left");
    expect(Date.now() - startedAt).toBeLessThan(2_000);
    expect(await stopSupervisor(dead)).toEqual([]);
  });
});
