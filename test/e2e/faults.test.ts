import { readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, it } from "vitest";
import { layoutOf, stackId, stateRoot } from "../../engine/process/layout.ts";
import { readLeases } from "../../engine/process/leases.ts";
import { leftoversOf } from "../../engine/process/leftovers.ts";
import { processesOf } from "../../engine/process/proc.ts";
import { get, outputsOf, projectRoot, startUnderstudy, understudy, understudyOk } from "../support/understudy.ts";

/** Without what other tests prove: up in seconds. */
const small = ["--set", "monitoring.enabled=false", "--set", "rehearsal.enabled=false", "--set", "validation.enabled=false", "--set", "source.users=50"];
const idOf = (stack: string) => stackId(stack, projectRoot);
const destroy = (stack: string) => understudy("destroy", "--stack", stack, "--yes", "--purge");

async function nothingIsLeft(stack: string): Promise<void> {
  expect(await leftoversOf(idOf(stack))).toEqual([]);
  expect(await processesOf(layoutOf(idOf(stack)))).toEqual([]);
  expect((await readLeases()).filter((lease) => lease.stack === idOf(stack))).toEqual([]);
}

describe("two stacks side by side", () => {
  const stacks = ["e2e-one", "e2e-two"] as const;
  afterAll(async () => {
    for (const stack of stacks) await destroy(stack);
  });

  it("share no port, and one can go without harm to the other", async () => {
    for (const stack of stacks) await destroy(stack);
    for (const stack of stacks) await understudyOk("up", "--stack", stack, "--port-offset", "auto", ...small);
    const [one, two] = [await outputsOf(stacks[0]), await outputsOf(stacks[1])];
    expect(Object.values(one.ports).filter((port) => Object.values(two.ports).includes(port))).toEqual([]);
    const before = await processesOf(layoutOf(two.stackId));
    await understudyOk("destroy", "--stack", stacks[0], "--yes");
    await nothingIsLeft(stacks[0]);
    const kept = await readdir(join(projectRoot, ".understudy"), { recursive: true });
    expect(kept.filter((path) => path.includes(stacks[0]))).toEqual([]);
    expect(kept.filter((path) => path.includes(stacks[1]))).not.toEqual([]);
    expect((await get(two.urls["health"] ?? "")).status).toBe(200);
    const after = (await processesOf(layoutOf(two.stackId))).map(({ pid }) => pid);
    for (const { pid, command } of before.filter(({ command }) => /s6-svscan|redis-server|nginx: master|app\.mjs/.test(command))) {
      expect(after, command).toContain(pid);
    }
    await understudyOk("preview", "--stack", stacks[1], "--expect-no-changes");
  });
});

describe("killed in the middle", () => {
  const stack = "e2e-killed";
  afterAll(() => destroy(stack));

  it.each(["ports created", "supervisor created", "data copy: "])("with kill -9 once it has said «%s», up converges", async (text) => {
    const { child, finished, printed } = startUnderstudy(["up", "--stack", stack, "--port-offset", "auto", ...small]);
    await printed(text);
    await sleep(200);
    process.kill(-(child.pid ?? 0), "SIGKILL");
    expect((await finished).code).not.toBe(0);
    // What an engine of the plain command leaves that is killed while it writes it.
    await writeFile(join(projectRoot, `.understudy/backend/.pulumi/stacks/understudy/${stack}.json.attrs`), "");
    const up = await understudyOk("up", "--stack", stack, "--port-offset", "auto", ...small);
    expect(up.stdout).toContain("ready stack");
    const { urls } = await outputsOf(stack);
    expect((await get(urls["health"] ?? "")).status).toBe(200);
    await understudyOk("destroy", "--stack", stack, "--yes", "--purge");
    await nothingIsLeft(stack);
  });

  it("with Ctrl-C, it ends with 130, and up goes on", async () => {
    const { child, finished, printed } = startUnderstudy(["up", "--stack", stack, "--port-offset", "auto", ...small]);
    await printed("ports created");
    process.kill(-(child.pid ?? 0), "SIGINT");
    const { code, stderr } = await finished;
    expect(code, stderr).toBe(130);
    await understudyOk("up", "--stack", stack, "--port-offset", "auto", ...small);
    await understudyOk("destroy", "--stack", stack, "--yes", "--purge");
    await nothingIsLeft(stack);
  });
});

describe("what cannot work", () => {
  const stack = "e2e-wrong";
  afterAll(() => destroy(stack));

  it("a taken port is an error that names who holds it, before anything is made", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      const up = await understudy("up", "--stack", stack, "--port-offset", "3100", ...small, "--set", `ports.cache=${port - 3100}`);
      expect(up.code).toBe(3);
      expect(up.stderr).toContain(`port ${port} (cache) is held by process ${process.pid}`);
      expect(await readdir(stateRoot()).catch(() => [])).not.toContain(idOf(stack));
      await nothingIsLeft(stack);
    } finally {
      server.close();
      await destroy(stack);
    }
  });

  it("names every wrong key of the configuration at once, with exit code 2", async () => {
    const up = await understudy("up", "--stack", stack, "--set", "ports.app=99999", "--set", "copy.limit=0", "--set", "surprise=1");
    expect(up.code).toBe(2);
    for (const part of ["ports.app = 99999", "copy.limit = 0", "surprise is not a key"]) expect(up.stderr).toContain(part);
    await destroy(stack);
  });

  it("refuses a source that does not answer, and keeps the staging that was there", async () => {
    await understudyOk("up", "--stack", stack, "--port-offset", "auto", ...small);
    const before = await outputsOf(stack);
    const secret = "not-the-password";
    const wrongs = [
      [`postgresql://reader:${secret}@127.0.0.1:1/prod`, /127\.0\.0\.1:1/],
      [`postgresql://production_reader:${secret}@127.0.0.1:${before.ports["source"]}/production_sample`, /password|authentication/],
    ] as const;
    for (const [url, said] of wrongs) {
      const up = await understudy("up", "--stack", stack, "--set", `sourceUrl="${url}"`);
      expect(up.code, up.stderr).toBe(3);
      expect(up.stderr).toMatch(said);
      expect(up.stderr).not.toContain(secret);
      expect((await get(before.urls["health"] ?? "")).status).toBe(200);
    }
    await understudyOk("config", "unset", "sourceUrl", "--stack", stack);
  });

  it("says what an unknown stack, service or option is", async () => {
    expect((await understudy("status", "--stack", "e2e-nowhere")).code).toBe(2);
    expect((await understudy("up", "--stack", "Not A Name")).code).toBe(2);
    expect((await understudy("logs", "nothing", "--stack", stack)).code).toBe(2);
    expect((await understudy("up", "--no-such-option")).code).toBe(2);
  });

  it("tells a crash loop at once, with the end of its log", async () => {
    const up = await understudy("up", "--stack", stack, "--set", "app.command=[sh, -c, 'echo the-reason >&2; exit 9']", "--set", "app.workingFolder=/");
    expect(up.code).toBe(3);
    expect(up.stderr).toMatch(/app.*cannot become healthy/s);
    expect(up.stderr).toContain("the-reason");
    expect(up.durationMs).toBeLessThan(60_000);
    const destroyed = await destroy(stack);
    expect(destroyed.code, destroyed.stderr).toBe(0);
    await nothingIsLeft(stack);
    expect((await readdir(join(projectRoot, "staging-backups"))).filter((name) => name.includes(`-${stack}-`))).toEqual([]);
  });
});
