import { spawn } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { afterEach, describe, expect, it } from "vitest";
import { accountFor, isRoot } from "../../../engine/process/account.ts";
import { resolveProgram } from "../../../engine/process/executables.ts";
import { layoutOf } from "../../../engine/process/layout.ts";
import { releaseLeases, takeLeases } from "../../../engine/process/leases.ts";
import { leftoversOf } from "../../../engine/process/leftovers.ts";
import { stackVariable } from "../../../engine/process/proc.ts";
import { freePort } from "../../support/ports.ts";

const id = `leftovers-${process.pid}`;
const layout = layoutOf(id);

afterEach(async () => {
  await releaseLeases(id);
  await rm(layout.folder, { recursive: true, force: true });
});

describe("what a stack left behind", () => {
  it("is nothing for a stack that is gone", async () => {
    expect(await leftoversOf(id)).toEqual([]);
  });

  it("is found: a process by its environment, one by its folder, the folder, a lease", async () => {
    await mkdir(layout.folder, { recursive: true });
    const port = await freePort();
    await takeLeases(id, { app: port });
    const marked = spawn("sleep", ["60"], { env: { [stackVariable]: id, PATH: process.env["PATH"] ?? "" }, stdio: "ignore" });
    const inside = spawn("sleep", ["61"], { cwd: layout.folder, env: {}, stdio: "ignore", argv0: "sleep" });
    const elsewhere = spawn("sleep", ["62"], { env: { [stackVariable]: `${id}-other` }, stdio: "ignore" });
    try {
      const left = await leftoversOf(id);
      expect(left).toContain(`process ${marked.pid}: sleep 60`);
      expect(left.some((line) => line.startsWith(`process ${inside.pid}:`))).toBe(true);
      expect(left.some((line) => line.includes(String(elsewhere.pid)))).toBe(false);
      expect(left.some((line) => line.startsWith(`folder ${layout.folder}`))).toBe(true);
      expect(left).toContain(`lease on port ${port} (app)`);
    } finally {
      for (const child of [marked, inside, elsewhere]) child.kill("SIGKILL");
    }
  });
});

describe("what is missing on the machine", () => {
  it("is named, with what to do, for a program", async () => {
    await expect(resolveProgram("no-such-server", layout, undefined)).rejects.toMatchObject({ exitCode: 3, line: expect.stringMatching(/no-such-server is not installed\. Run `make setup`/) });
  });

  it.runIf(isRoot())("is named for an account, since nothing ever runs as root", async () => {
    await expect(accountFor(["no-such-account"])).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining("no-such-account") });
  });
});
