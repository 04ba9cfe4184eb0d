import { resolve } from "node:path";
import { backupDatabase, pruneBackups, restoreBackup } from "../../engine/backup/index.ts";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { findBackups, findNewestBackup } from "../backups.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { seconds, table } from "../console.ts";
import { project } from "../project.ts";
import { wholeNumber } from "../settings.ts";
import { deployedStack } from "../target.ts";
import { showProgress, untilInterrupted } from "../tracked.ts";

export const addBackup: AddCommand = (program, { console }) => {
  const backup = program
    .command("backup")
    .description("back staging up into staging-backups/")
    .option("--keep-hours <n>", "then remove this stack's backups older than that", wholeNumber)
    .action(async (options: { readonly keepHours?: number }) => {
      const { stack: name, json } = globalsOf(backup);
      const { description } = await deployedStack(name);
      const made = await untilInterrupted((signal) =>
        backupDatabase({ staging: description.staging, stack: name, folder: project.reports, onProgress: showProgress(console, { quiet: json }), signal }),
      );
      const { keepHours } = options;
      const removed = keepHours === undefined ? [] : (await pruneBackups({ folder: project.reports, stack: name, keepHours })).removed;
      if (json) console.result(JSON.stringify({ ...made, removed }, null, 2));
      else console.result(`${made.file}\n${(made.sizeBytes / 1024).toFixed(0)} kB in ${seconds(made.durationMs)}, sha256 ${made.sha256}`);
    });
  backup
    .command("list")
    .description("this stack's backups, newest first")
    .action(async () => {
      const { stack: name, json } = globalsOf(backup);
      const found = await findBackups(name);
      if (json) console.result(JSON.stringify(found, null, 2));
      else console.result(found.length === 0 ? `No backups of stack ${name}.` : table(found.map(({ at, file }) => [at.toISOString(), file])));
    });
};

export const addRestore: AddCommand = (program, { console }) => {
  const command = program
    .command("restore")
    .argument("[file]", "a backup; default the newest of the stack")
    .description("load a backup, check it, and switch it in; the database in use is kept as the previous one")
    .action(async (file: string | undefined) => {
      const { stack: name, json } = globalsOf(command);
      const { description } = await deployedStack(name);
      const chosen = file === undefined ? await findNewestBackup(name) : resolve(file);
      if (chosen === undefined) {
        throw new UnderstudyError(`There is no backup of stack ${name} in ${project.reports}.`, { exitCode: exitCode.usage, remedy: "Make one with: understudy backup" });
      }
      const restored = await untilInterrupted((signal) =>
        restoreBackup({ staging: description.staging, file: chosen, stack: name, onProgress: showProgress(console, { quiet: json }), signal }),
      );
      if (json) console.result(JSON.stringify(restored, null, 2));
      else console.result(`Restored ${restored.file} in ${seconds(restored.durationMs)}.${restored.previous === undefined ? "" : ` The database before it is kept as ${restored.previous}.`}`);
    });
};
