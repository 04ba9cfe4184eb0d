import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { whyForbidden } from "../../../tools/lint/layers.ts";

const project = join(import.meta.dirname, "../../..");

describe("whyForbidden", () => {
  const why = (from: string, specifier: string): string | undefined => whyForbidden("/p", `/p/${from}`, specifier);

  test.each([
    ["cli/main.ts", "../index.ts"],
    ["cli/commands/doctor.ts", "../../tools/packages.ts"],
    ["index.ts", "./components/stagingStack.ts"],
    ["index.ts", "./config.ts"],
    ["components/database.ts", "../platforms/spec.ts"],
    ["components/database.ts", "@pulumi/pulumi"],
    ["components/database.ts", "../resources/dataCopy.ts"],
    ["platforms/process/index.ts", "../../resources/process/service.ts"],
    ["resources/dataCopy.ts", "../engine/copy/copy.ts"],
    ["engine/copy/copy.ts", "../masking/mask.ts"],
    ["engine/copy/copy.ts", "pg"],
    ["test/unit/x.test.ts", "../../workloads/stories/app/server.ts"],
    ["workloads/stories/app/server.ts", "fastify"],
  ])("%s may import %s", (from, specifier) => {
    expect(why(from, specifier)).toBeUndefined();
  });

  test.each([
    ["engine/copy/copy.ts", "@pulumi/pulumi"],
    ["engine/copy/copy.ts", "@pulumi/pulumi/automation/index.js"],
    ["engine/copy/copy.ts", "../../resources/dataCopy.ts"],
    ["engine/copy/copy.ts", "../../config.ts"],
    ["engine/copy/copy.ts", "../../workloads/stories/app/server.ts"],
    ["resources/dataCopy.ts", "../platforms/spec.ts"],
    ["platforms/process/index.ts", "../../components/database.ts"],
    ["platforms/process/index.ts", "../../config.ts"],
    ["components/database.ts", "../platforms/process/index.ts"],
    ["components/database.ts", "../resources/process/service.ts"],
    ["components/database.ts", "../workloads/stories/app/server.ts"],
    ["components/database.ts", "../index.ts"],
    ["index.ts", "./cli/main.ts"],
    ["index.ts", "./tools/packages.ts"],
    ["cli/main.ts", "../workloads/stories/app/server.ts"],
    ["tools/setup.ts", "../cli/main.ts"],
    ["config.ts", "./components/database.ts"],
  ])("%s must not import %s", (from, specifier) => {
    expect(why(from, specifier)).toContain(`${from} must not import`);
  });

  test("says what is allowed and what to do", () => {
    expect(why("resources/dataCopy.ts", "../cli/main.ts")).toBe(
      "resources/dataCopy.ts must not import cli/main.ts: resources/ may import resources/, engine/. " +
        "Move the code down a layer or pass the value in; the layers are in tools/lint/layers.ts.",
    );
  });
});

/** Files with one fault each, and what the lint has to say of it. */
const planted: Readonly<Record<string, readonly [text: string, said: string]>> = {
  "engine/import.ts": ['import { a } from "../cli/a.ts";\nexport const b = a;\n', "engine/import.ts must not import cli/a.ts"],
  "engine/type.ts": ['import type { A } from "../cli/a.ts";\nexport type B = A;\n', "engine/type.ts must not import cli/a.ts"],
  "engine/reexport.ts": ['export * from "../cli/a.ts";\n', "engine/reexport.ts must not import cli/a.ts"],
  "engine/dynamic.ts": ['export const a = () => import("../cli/a.ts");\n', "engine/dynamic.ts must not import cli/a.ts"],
  "engine/inline.ts": ['export type A = import("../cli/a.ts").A;\n', "engine/inline.ts must not import cli/a.ts"],
  "engine/pulumi.ts": ['export * from "@pulumi/pulumi";\n', "engine/pulumi.ts must not import @pulumi/pulumi"],
  "engine/untyped.ts": ["export const a = (b: any): string => String(b);\n", "typescript(no-explicit-any)"],
  "engine/utils.ts": ["export const a = 1;\n", "engine/utils.ts says nothing about what is in it"],
  "engine/helpers.ts": ["export const a = 1;\n", "engine/helpers.ts says nothing about what is in it"],
  "engine/long.ts": ["export {};\n".repeat(301), "eslint(max-lines)"],
};

describe("make lint", () => {
  let copy: string;
  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), "understudy-lint-"));
    await cp(join(project, ".oxlintrc.json"), join(copy, ".oxlintrc.json"));
    await cp(join(project, "tools/lint"), join(copy, "tools/lint"), { recursive: true });
  });
  afterAll(() => rm(copy, { recursive: true }));

  async function put(file: string, text: string): Promise<void> {
    const path = join(copy, file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }

  async function lint(): Promise<{ code: number; output: string }> {
    const oxlint = [join(project, "node_modules/oxlint/bin/oxlint"), "--deny-warnings"];
    return promisify(execFile)(process.execPath, oxlint, { cwd: copy }).then(
      ({ stdout }) => ({ code: 0, output: stdout }),
      ({ code, stdout }: { code: number; stdout: string }) => ({ code, output: stdout }),
    );
  }

  test("passes what keeps the rules and refuses each planted fault", { timeout: 30_000 }, async () => {
    await put("resources/x.ts", 'export { y } from "../engine/y.ts";\n');
    const clean = await lint();
    expect(clean).toMatchObject({ code: 0 });

    for (const [file, [text]] of Object.entries(planted)) await put(file, text);
    const faulty = await lint();
    expect(faulty.code).not.toBe(0);
    for (const [, said] of Object.values(planted)) expect(faulty.output).toContain(said);
    expect(faulty.output).not.toContain("resources/x.ts");
  });
});
