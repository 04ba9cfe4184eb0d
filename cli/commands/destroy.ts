import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { dockerLeftovers } from "../../engine/docker/leftovers.ts";
import { stackId } from "../../engine/process/layout.ts";
import { leftoversOf } from "../../engine/process/leftovers.ts";
import { seconds, styled } from "../console.ts";
import { forgetBackend, stateFile } from "../backend.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { runOperation } from "../operation.ts";
import { project } from "../project.ts";
import { forgetSettings, readEffectiveEntries } from "../stackFile.ts";
import { openStack, requireDeployed } from "../workspace.ts";

interface DestroyOptions {
  readonly yes: boolean;
  readonly purge: boolean;
}

export const addDestroy: AddCommand = (program, { console }) => {
  const command = program
    .command("destroy")
    .description("take the stack down, and prove that nothing of it is left (exit 7 and a list if something is)")
    .option("-y, --yes", "do not ask", false)
    .option("--purge", "delete its backups and reports too", false)
    .action(async (options: DestroyOptions) => {
      const { stack: name, json, verbose } = globalsOf(command);
      await requireDeployed(name);
      if (!options.yes) await confirm(name);
      const usesDocker = await isOnDocker(name);
      const open = await openStack(name, { mode: "write" });
      const { durationMs } = await runOperation(open, { title: `Stack ${name}: destroy`, console, verbose, quiet: json }, (hooks) =>
        open.stack.destroy(hooks),
      );
      const id = stackId(name, project.root);
      const left = [...(await leftoversOf(id)), ...(usesDocker ? await dockerLeftovers(id) : [])];
      if (left.length > 0) {
        throw new UnderstudyError(`Destroyed, but ${left.length} thing(s) are left:\n  ${left.join("\n  ")}`, {
          exitCode: exitCode.leftBehind,
          remedy: "Run destroy again.",
        });
      }
      await open.stack.workspace.removeStack(name);
      await Promise.all([forgetSettings(project, name), forgetBackend(project, name)]);
      const purged = options.purge ? await purge(name) : [];
      if (json) console.result(JSON.stringify({ stack: name, durationMs, left, purged }));
      else {
        console.result(`${styled(console, "green", "gone")} stack ${name} in ${seconds(durationMs)}: no process${usesDocker ? ", container, volume, network" : ""}, port, lease or file of it is left`);
        if (!options.purge) console.result(`Backups and reports stay in ${project.reports} (--purge deletes them).`);
      }
    });
};

/** What is there, or what the configuration says would be. */
async function isOnDocker(name: string): Promise<boolean> {
  if ((await readFile(stateFile(project, name), "utf8")).includes('"docker:index/')) return true;
  const entries = await readEffectiveEntries(project, name);
  return entries["understudy:platform"] === "docker";
}

async function confirm(name: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new UnderstudyError(`Nobody can be asked whether to destroy stack ${name}.`, { exitCode: exitCode.usage, remedy: "Add --yes." });
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question(`Destroy stack ${name} with its databases? Type its name: `);
  prompt.close();
  if (answer.trim() !== name) throw new UnderstudyError("Nothing was destroyed.", { exitCode: exitCode.usage });
}

/** Reports and backups carry their stack's name. */
async function purge(name: string): Promise<string[]> {
  const pattern = new RegExp(`^(migration-test-report|staging-validation-report|test-data-summary|staging-backup)-${name}-\\d{8}T`);
  const names = (await readdir(project.reports).catch((): string[] => [])).filter((file) => pattern.test(file));
  await Promise.all(names.map((file) => rm(join(project.reports, file), { force: true })));
  return names;
}
