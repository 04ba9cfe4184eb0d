import { listBackups, type FoundBackup } from "../engine/backup/index.ts";
import { layoutOf, stackId } from "../engine/process/layout.ts";
import { project } from "./project.ts";

/** Every backup of a stack, newest first: those made by hand or before a copy, and those made on a schedule. */
export async function findBackups(stack: string): Promise<FoundBackup[]> {
  const folders = [project.reports, layoutOf(stackId(stack, project.root)).data("scheduled-backup")];
  const found = await Promise.all(folders.map((folder) => listBackups(folder, stack)));
  return found.flat().sort((left, right) => right.at.getTime() - left.at.getTime());
}

/** The newest backup of a stack; nothing when there is none. */
export async function findNewestBackup(stack: string): Promise<string | undefined> {
  return (await findBackups(stack))[0]?.file;
}
