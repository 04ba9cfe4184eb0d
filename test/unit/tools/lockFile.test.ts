import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";

interface Package {
  optionalDependencies?: Record<string, string>;
  resolved?: string;
}

const lockFile = join(import.meta.dirname, "../../../package-lock.json");

async function packages(): Promise<Record<string, Package>> {
  const { packages: all } = JSON.parse(await readFile(lockFile, "utf8")) as { packages: Record<string, Package> };
  return all;
}

test("the lock file lists the packages of every operating system, or npm 10 and newer refuse it elsewhere", async () => {
  const all = await packages();
  const missing = Object.entries(all).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !foldersAbove(path).some((folder) => `${folder}node_modules/${name}` in all)),
  );
  expect(missing).toEqual([]);
});

test("the lock file names no registry, so that any will do", async () => {
  expect(Object.values(await packages()).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
});

/** "node_modules/a/node_modules/b" is resolved from itself, then "node_modules/a", then the root. */
function foldersAbove(path: string): string[] {
  const parts = path === "" ? [] : path.split("/node_modules/");
  return [...parts.map((_, index) => `${parts.slice(0, parts.length - index).join("/node_modules/")}/`), ""];
}
