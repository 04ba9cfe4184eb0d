import { listBackups } from "../engine/backup/index.ts";
import { project } from "./project.ts";

/** The newest backup of a stack; nothing when there is none. */
export async function findNewestBackup(stack: string): Promise<string | undefined> {
  return (await listBackups(project.reports, stack))[0]?.file;
}
