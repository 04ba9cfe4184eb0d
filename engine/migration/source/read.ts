import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Workload } from "../../workload/manifest.ts";
import { knownBookkeeping } from "../tool/command.ts";
import type { MigrationTool } from "../tool/command.ts";
import { readMigrationFolder } from "./folder.ts";
import { prismaLock, readPrismaFolder } from "./prisma.ts";
import type { Migration } from "./statement.ts";

/** Migrations as files, or the tool that has them: what it does is known once it was run. */
export type MigrationSource = { readonly migrations: readonly Migration[] } | { readonly tool: MigrationTool };

/**
 * Finds the workload's migrations: a tool's where the workload names commands, Prisma's where `migration_lock.toml` lies in the
 * folder, else plain SQL pairs.
 * @throws UnderstudyError (exit 2) that names everything wrong at once.
 */
export async function readMigrations({ manifest, path }: Workload): Promise<MigrationSource> {
  const { folder, command } = manifest.migrations;
  if (command !== undefined) {
    const { name, up, down, status, environment, bookkeeping } = command;
    return { tool: { name, folder: path(folder), up, down, status, environment, bookkeeping: bookkeeping ?? knownBookkeeping } };
  }
  const isPrisma = await access(join(path(folder), prismaLock)).then(() => true, () => false);
  return { migrations: await (isPrisma ? readPrismaFolder(path(folder)) : readMigrationFolder(path(folder))) };
}
