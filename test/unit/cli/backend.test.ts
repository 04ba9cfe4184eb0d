import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { forgetBackend, mendBackend } from "../../../cli/backend.ts";

let backend = "";
const files = () => readdir(join(backend, ".pulumi"), { recursive: true, withFileTypes: true })
  .then((entries) => entries.filter((entry) => entry.isFile()).map(({ name }) => name).sort());

beforeEach(async () => {
  backend = await mkdtemp(join(tmpdir(), "understudy-backend-"));
  for (const stack of ["one", "one-more"]) {
    for (const folder of [`backups/understudy/${stack}`, `history/understudy/${stack}`, `locks/organization/understudy/${stack}`, "stacks/understudy"]) {
      await mkdir(join(backend, ".pulumi", folder), { recursive: true });
    }
    const state = join(backend, ".pulumi/stacks/understudy", `${stack}.json`);
    await writeFile(state, "{}");
    await writeFile(`${state}.attrs`, stack === "one" ? "" : "{}");
    await writeFile(`${state}.bak`, "");
    await writeFile(join(backend, ".pulumi/backups/understudy", stack, `${stack}.1.json`), "{}");
    await writeFile(join(backend, ".pulumi/history/understudy", stack, `${stack}-1.history.json`), "{}");
  }
});

afterEach(() => rm(backend, { recursive: true, force: true }));

it("removes second files that were torn, and no others", async () => {
  const before = await files();
  await mendBackend({ backend }, "one-more");
  expect(await files()).toEqual(before);
  await mendBackend({ backend }, "one");
  expect(await files()).toEqual(before.filter((name) => name !== "one.json.attrs"));
});

it("forgets all of one stack but its state, and nothing of another whose name begins alike", async () => {
  const before = await files();
  await forgetBackend({ backend }, "one");
  expect(await files()).toEqual(before.filter((name) => !/^one[.-](?!more)/.test(name) || name === "one.json"));
});
