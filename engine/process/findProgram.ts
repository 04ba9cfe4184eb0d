import { accessSync, constants, globSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Looked through after PATH: an ordinary user's has no servers in it, and a service's may have nothing. */
const systemFolders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/**
 * Absolute path of a program, or nothing where it is not installed.
 *
 * @param program a name to look for on PATH and in the system's folders, or a glob pattern of absolute paths
 */
export function findProgram(program: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (program.startsWith("/")) return globSync(program).sort().toReversed().find(isExecutable);
  const folders = (env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...folders, ...systemFolders].map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
