import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findProgram } from "../../../engine/process/findProgram.ts";
import { missingPackages, systemPackages } from "../../../tools/packages.ts";

const nowhere = (): undefined => undefined;

describe("missingPackages", () => {
  test("names everything of the asked profiles on a bare machine, in the table's order", () => {
    expect(missingPackages(["base"], nowhere).map(({ name }) => name)).toEqual([
      "postgresql-15",
      "redis-server",
      "nginx-light",
      "s6",
    ]);
    expect(missingPackages(["base", "monitoring", "pooling", "test"], nowhere)).toEqual(systemPackages);
  });

  test("installs nothing that is there, whatever package it came from", () => {
    const there = (program: string): string | undefined => (program.includes("/bin/postgres") ? "/usr/lib/postgresql/17/bin/postgres" : undefined);
    expect(missingPackages(["base"], there).map(({ name }) => name)).toEqual(["redis-server", "nginx-light", "s6"]);
  });

  test("is empty where every program is found", () => {
    expect(missingPackages(["base", "monitoring", "pooling", "test"], (program) => program)).toEqual([]);
  });
});

test("each package is named once and says what it is for", () => {
  expect(new Set(systemPackages.map(({ name }) => name)).size).toBe(systemPackages.length);
  for (const { purpose } of systemPackages) expect(purpose).toMatch(/\w{3}/);
});

describe("findProgram", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "understudy-programs-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function put(name: string, mode: number): Promise<string> {
    const path = join(folder, name);
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, "#!/bin/sh\n");
    await chmod(path, mode);
    return path;
  }

  test("finds a name on PATH, the first folder first", async () => {
    const first = await put("a/tool", 0o755);
    await put("b/tool", 0o755);
    expect(findProgram("tool", { PATH: `${folder}/a:${folder}/b` })).toBe(first);
  });

  test("takes neither a file that cannot be run nor a folder", async () => {
    await put("a/tool", 0o644);
    await mkdir(join(folder, "b/tool"), { recursive: true });
    expect(findProgram("tool", { PATH: `${folder}/a:${folder}/b` })).toBeUndefined();
  });

  test("finds the newest of a glob pattern", async () => {
    await put("15/bin/server", 0o755);
    const newest = await put("17/bin/server", 0o755);
    await put("99/bin/server", 0o755);
    expect(findProgram(`${folder}/1[3-7]/bin/server`)).toBe(newest);
  });

  test("finds servers that are not on an ordinary user's PATH", () => {
    expect(findProgram("useradd", { PATH: "" })).toBe("/usr/sbin/useradd");
  });
});
