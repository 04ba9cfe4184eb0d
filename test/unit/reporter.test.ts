import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

const project = join(import.meta.dirname, "../..");

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-reporter-"));
  await symlink(join(project, "node_modules"), join(folder, "node_modules"));
  const reporter = join(project, "test/reporter.ts");
  await writeFile(
    join(folder, "vitest.config.ts"),
    `export default { test: { passWithNoTests: true, include: ["**/*.test.ts"], reporters: ["default", ${JSON.stringify(reporter)}] } };`,
  );
});
afterEach(() => rm(folder, { recursive: true }));

async function runVitest(files: Readonly<Record<string, string>>): Promise<{ code: number; lastLine: string | undefined }> {
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), `import { expect, test } from "vitest";\n${text}`);
  }
  const vitest = [join(project, "node_modules/vitest/vitest.mjs"), "run"];
  const { code, stdout } = await promisify(execFile)(process.execPath, vitest, { cwd: folder }).then(
    (end) => ({ code: 0, stdout: end.stdout }),
    (end: { code: number; stdout: string }) => end,
  );
  return { code, lastLine: stdout.trimEnd().split("\n").at(-1) };
}

test("the last line sums up all files, and anything failed fails the run", { timeout: 60_000 }, async () => {
  const end = await runVitest({
    "a.test.ts": 'test("1", () => {}); test("2", () => {}); test.skip("3", () => {}); test.todo("4");',
    "b.test.ts": 'test("5", () => { expect(1).toBe(2); });',
    "c.test.ts": 'throw new Error("cannot be loaded");',
  });
  expect(end).toEqual({ code: 1, lastLine: "2 passed, 2 failed, 2 skipped" });
});

test("a run in which nothing ran is no success", { timeout: 60_000 }, async () => {
  expect(await runVitest({})).toEqual({ code: 1, lastLine: "0 passed, 0 failed, 0 skipped" });
  expect(await runVitest({ "a.test.ts": 'test.skip("1", () => {});' })).toEqual({ code: 1, lastLine: "0 passed, 0 failed, 1 skipped" });
});

test("a run in which all passed is", { timeout: 60_000 }, async () => {
  expect(await runVitest({ "a.test.ts": 'test("1", () => {});' })).toEqual({ code: 0, lastLine: "1 passed, 0 failed, 0 skipped" });
});
