import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { loadCommands } from "../../../cli/commands/index.ts";
import { stackConfig } from "../../../config.ts";
import { maskNames } from "../../../engine/masking/rule.ts";
import { exitCode } from "../../../engine/errors.ts";

const root = join(import.meta.dirname, "../../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
}

function leaves(schema: Schema, path: readonly string[] = []): string[] {
  const properties = Object.entries(schema.properties ?? {});
  return properties.length === 0 ? [path.join(".")] : properties.flatMap(([name, below]) => leaves(below, [...path, name]));
}

describe("the documentation", () => {
  it("names every key of the configuration", () => {
    const text = read("docs/configuration.md");
    const keys = leaves(z.toJSONSchema(stackConfig, { io: "input", unrepresentable: "any" }) as Schema);
    expect(keys.length).toBeGreaterThan(40);
    for (const key of keys) {
      const last = key.split(".").at(-1) ?? key;
      expect(text.includes(`\`${key}\``) || text.includes(`\`.${last}\``), key).toBe(true);
    }
  });

  it("names every command and every exit code", async () => {
    const program = new Command();
    for (const add of await loadCommands([])) add(program, { console: { color: false, live: false, result: () => {}, note: () => {} } });
    const text = read("docs/commands.md");
    for (const { name } of program.commands.map((command) => ({ name: command.name() }))) expect(text, name).toContain(`| \`${name}`);
    for (const code of Object.values(exitCode)) expect(text).toMatch(new RegExp(`^\\| ${code} \\|`, "m"));
  });

  it("names every way to mask", () => {
    const text = read("docs/masking.md");
    for (const name of maskNames) expect(text, name).toContain(`\`${name}\``);
  });

  it.each(["README.md", "docs/configuration.md", "docs/commands.md", "docs/development.md", "docs/load.md", "docs/masking.md", "docs/migrations.md"])("has no dead link in %s", (file) => {
    const text = read(file);
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target ?? "");
    for (const target of links) expect(existsSync(join(root, file, "..", target)), target).toBe(true);
  });
});
