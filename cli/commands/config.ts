import { text } from "node:stream/consumers";
import { parse } from "yaml";
import { parseConfig } from "../../config.ts";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { table } from "../console.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { project } from "../project.ts";
import { readEffectiveEntries, readOverrides, readSecure, writeOverrides } from "../stackFile.ts";
import { openStack } from "../workspace.ts";

const keyPattern = /^[A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*$/;

export const addConfig: AddCommand = (program, { console }) => {
  const config = program.command("config").description("settings of a stack that are not committed; docs/configuration.md has every key");
  const set = config
    .command("set")
    .argument("<key>", "such as sourceUrl, ports.app, copy.limit")
    .argument("[value]", "default: read from standard input, which keeps it out of the shell's history")
    .option("--secret", "encrypt it", false)
    .description("set a key; the next up takes it in")
    .action(async (key: string, given: string | undefined, options: { readonly secret: boolean }) => {
      const { stack: name } = globalsOf(set);
      if (!keyPattern.test(key)) throw new UnderstudyError(`"${key}" is not a key: letters and digits, dots between.`, { exitCode: exitCode.usage });
      if (options.secret && key.includes(".")) throw new UnderstudyError(`Only whole keys can be secret, and "${key}" is part of one.`, { exitCode: exitCode.usage });
      const value = given ?? (await text(process.stdin)).trim();
      const stored = options.secret ? await encrypt(name, key, value) : parse(value);
      if (!options.secret) parseConfig({ [`understudy:${key.split(".")[0] ?? key}`]: JSON.stringify(nested(key.split(".").slice(1), stored)) });
      await writeOverrides(project, name, { ...(await readOverrides(project, name)), [key]: stored });
      console.result(`${key} is set for stack ${name}. Take it in with: understudy up --stack ${name}`);
    });
  const unset = config
    .command("unset")
    .argument("<key>")
    .description("forget a key that was set here")
    .action(async (key: string) => {
      const { stack: name } = globalsOf(unset);
      const { [key]: removed, ...rest } = await readOverrides(project, name);
      if (removed === undefined) throw new UnderstudyError(`${key} is not set here for stack ${name}.`, { exitCode: exitCode.usage });
      await writeOverrides(project, name, rest);
      console.result(`${key} is no longer set for stack ${name}.`);
    });
  const list = config
    .command("list")
    .description("what differs from the defaults, committed or set here")
    .action(async () => {
      const { stack: name, json } = globalsOf(list);
      const entries = await readEffectiveEntries(project, name);
      console.result(json ? JSON.stringify(entries, null, 2) : table(Object.entries(entries)));
    });
};

function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
}

/** Lets the engine encrypt a value with the stack's own key. */
async function encrypt(name: string, key: string, value: string): Promise<unknown> {
  parseConfig({ [`understudy:${key}`]: value });
  const open = await openStack(name, { mode: "write" });
  try {
    await open.stack.setConfig(`understudy:${key}`, { value, secret: true });
    return await readSecure(project, name, key);
  } finally {
    await open.close();
  }
}
