import { access, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { layoutOf, stackId, stateRoot } from "../../engine/process/layout.ts";
import { readLeases, releaseLeases } from "../../engine/process/leases.ts";
import { stacksOnDocker } from "../../engine/docker/leftovers.ts";
import { leftoversOf } from "../../engine/process/leftovers.ts";
import { isSupervisorUp, stopSupervisor } from "../../engine/process/supervisor.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { project } from "../project.ts";
import { stateFile } from "../backend.ts";

interface GcOptions {
  readonly yes: boolean;
  readonly running: boolean;
}

interface Abandoned {
  readonly stackId: string;
  readonly running: boolean;
  readonly left: readonly string[];
}

/** Stacks whose state this checkout holds are never garbage; those of other checkouts only when they are dead. */
async function isOurs(id: string): Promise<boolean> {
  const name = id.replace(/-[0-9a-f]{8}$/, "");
  if (stackId(name, project.root) !== id) return false;
  return access(stateFile(project, name)).then(
    () => true,
    () => false,
  );
}

async function abandonedStacks(): Promise<Abandoned[]> {
  const folders = (await readdir(stateRoot()).catch((): string[] => [])).filter((name) => /-[0-9a-f]{8}$/.test(name));
  const onDocker = await stacksOnDocker();
  const ids = new Set([...folders, ...(await readLeases()).map(({ stack }) => stack)]);
  const found = await Promise.all(
    [...ids].map(async (id): Promise<Abandoned | undefined> => {
      // One whose containers run is not dead, whoever made it.
      if (onDocker.has(id) || (await isOurs(id))) return undefined;
      return { stackId: id, running: await isSupervisorUp(layoutOf(id)), left: await leftoversOf(id) };
    }),
  );
  return found.filter((stack) => stack !== undefined);
}

export const addGc: AddCommand = (program, { console }) => {
  const command = program
    .command("gc")
    .description("list what dead stacks left on this machine, and remove it with --yes")
    .option("-y, --yes", "remove it", false)
    .option("--running", "also stacks of other checkouts that still run", false)
    .action(async (options: GcOptions) => {
      const { json } = globalsOf(command);
      const found = (await abandonedStacks()).filter(({ running }) => options.running || !running);
      if (options.yes) {
        for (const { stackId: id } of found) {
          const left = await stopSupervisor(layoutOf(id));
          if (left.length > 0) throw new UnderstudyError(`Processes of ${id} would not end: ${left.map(({ pid }) => pid).join(", ")}.`, { exitCode: exitCode.leftBehind });
          await rm(join(stateRoot(), id), { recursive: true, force: true });
          await releaseLeases(id);
        }
      }
      if (json) console.result(JSON.stringify({ removed: options.yes, stacks: found }, null, 2));
      else if (found.length === 0) console.result("Nothing is left of dead stacks.");
      else {
        for (const { stackId: id, left } of found) console.result(`${id}\n  ${left.join("\n  ")}`);
        console.result(options.yes ? `Removed ${found.length}.` : "Remove it with: understudy gc --yes");
      }
    });
};
