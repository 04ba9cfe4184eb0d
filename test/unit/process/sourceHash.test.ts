import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sourceHash } from "../../../engine/sourceHash.ts";

let folder = "";
const put = (path: string, text: string) => writeFile(join(folder, path), text);
const hash = () => sourceHash(join(folder, "app/server.ts"));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-source-"));
  await mkdir(join(folder, "app"));
  await mkdir(join(folder, "shared"));
  await put("app/server.ts", 'import { a } from "./a.ts";\nimport fastify from "fastify";\nimport "./missing.ts";');
  await put("app/a.ts", 'export { b as a } from "../shared/b.ts";');
  await put("shared/b.ts", 'const c = await import("./c.ts"); export const b = c;');
  await put("shared/c.ts", "export const c = 1;");
  await put("shared/other.ts", "export const other = 1;");
});

afterEach(() => rm(folder, { recursive: true, force: true }));

it.each(["app/a.ts", "app/new.ts", "shared/b.ts", "shared/c.ts"])("changes with %s", async (path) => {
  const before = hash();
  await put(path, `export const changed = 1; import "../shared/c.ts";`);
  expect(hash()).not.toBe(before);
});

it("stays as it is when nothing the app is made of changed", async () => {
  const before = hash();
  await put("shared/other.ts", "export const other = 2;");
  await put("app/a.ts", 'export { b as a } from "../shared/b.ts";');
  expect(hash()).toBe(before);
});
