import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../../..");
const preload = `--import=${join(root, "cli/leanPulumi.ts")}`;

async function evaluate(script: string, ...flags: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, "-e", script], { cwd: root });
  return stdout.trim();
}

const compilerIsLoaded = `require("@pulumi/pulumi"); console.log(Object.keys(require.cache).some((file) => file.endsWith("/typescript.js")))`;

it("leaves the compiler out of Pulumi's runtime, which loads it by itself", async () => {
  const [lean, plain] = await Promise.all([evaluate(compilerIsLoaded, preload), evaluate(compilerIsLoaded)]);
  expect({ lean, plain }).toEqual({ lean: "false", plain: "true" });
}, 20_000);

it("says so when something asks for the compiler after all", async () => {
  await expect(evaluate(`require("typescript").createSourceFile("a.ts", "")`, preload)).rejects.toThrow(
    "typescript is left out (cli/leanPulumi.ts), yet something asked for its createSourceFile",
  );
});
