import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { assertCanEnter } from "../../../engine/process/account.ts";

const stranger = { name: "understudy", uid: 61_234, gid: 61_234 };
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-enter-"));
  await chmod(folder, 0o755);
  await mkdir(join(folder, "open"), { mode: 0o755 });
  await mkdir(join(folder, "closed/inner"), { recursive: true, mode: 0o755 });
  await chmod(join(folder, "closed"), 0o700);
  await writeFile(join(folder, "file"), "");
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it("lets an account into a folder that is open to all, and the caller into its own", async () => {
  await assertCanEnter(join(folder, "open"), stranger);
  await assertCanEnter(join(folder, "closed/inner"), undefined);
  await assertCanEnter(join(folder, "closed/inner"), { name: "owner", uid: process.getuid?.() ?? 0, gid: 61_234 });
});

it("names the folder of the path that is closed, missing or none", async () => {
  await expect(assertCanEnter(join(folder, "closed/inner"), stranger)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining(`${join(folder, "closed")} is closed to understudy`),
  });
  await expect(assertCanEnter(join(folder, "nowhere"), stranger)).rejects.toThrow(`${join(folder, "nowhere")} does not exist`);
  await expect(assertCanEnter(join(folder, "file"), undefined)).rejects.toThrow(`${join(folder, "file")} is no folder`);
});
