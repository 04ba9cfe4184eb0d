import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { pathsOf, type ProjectPaths } from "../../../cli/project.ts";
import { forgetSettings, readEffectiveEntries, readOverrides, writeEffective, writeOverrides } from "../../../cli/stackFile.ts";

let root: string;
let paths: ProjectPaths;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "understudy-stack-file-"));
  paths = pathsOf(root);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const effective = async () => parse(await readFile(join(paths.work, "Pulumi.local.yaml"), "utf8")) as Record<string, unknown>;

describe("the effective configuration", () => {
  it("is the committed one with the overrides, which stays as it is", async () => {
    const committed = "config:\n  understudy:ports:\n    app: 4000\n    https: 9000\n";
    await writeFile(join(root, "Pulumi.local.yaml"), committed);
    await writeEffective(paths, "local", { "ports.app": 4001, portOffset: "auto", "monitoring.enabled": false }, paths.work);
    expect(await effective()).toEqual({
      config: { "understudy:ports": { app: 4001, https: 9000 }, "understudy:portOffset": "auto", "understudy:monitoring": { enabled: false } },
    });
    expect(await readFile(join(root, "Pulumi.local.yaml"), "utf8")).toBe(committed);
  });

  it("keeps the salt of an earlier run, and prefers the committed one", async () => {
    await writeEffective(paths, "local", {}, paths.work);
    await writeFile(join(paths.work, "Pulumi.local.yaml"), "encryptionsalt: v1:earlier\n");
    await writeEffective(paths, "local", {}, paths.work);
    expect(await effective()).toMatchObject({ encryptionsalt: "v1:earlier" });
    await writeFile(join(root, "Pulumi.local.yaml"), "encryptionsalt: v1:committed\n");
    await writeEffective(paths, "local", {}, paths.work);
    expect(await effective()).toMatchObject({ encryptionsalt: "v1:committed" });
  });

  it("remembers overrides until the stack is forgotten", async () => {
    await writeOverrides(paths, "local", { "source.users": 50 });
    expect(await readOverrides(paths, "local")).toEqual({ "source.users": 50 });
    expect(await readEffectiveEntries(paths, "local")).toEqual({ "understudy:source": '{"users":50}' });
    await forgetSettings(paths, "local");
    expect(await readOverrides(paths, "local")).toEqual({});
  });

  it("says which file is no YAML", async () => {
    await writeFile(join(root, "Pulumi.local.yaml"), "config: [unclosed\n");
    await expect(writeEffective(paths, "local", {}, paths.work)).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining("Pulumi.local.yaml is not valid YAML") });
  });
});
