import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ProjectPaths } from "./project.ts";

/**
 * The engine's file backend in a folder. Without `metadata=skip` it would write a second file beside each it keeps, not
 * in one move: an engine killed in that moment could never read its state again ("failed to load checkpoint: EOF").
 */
export function backendUrl(folder: string): string {
  return `file://${folder}?metadata=skip`;
}

type Backend = Pick<ProjectPaths, "backend">;

function kept({ backend }: Backend, ...path: string[]): string {
  return join(backend, ".pulumi", ...path);
}

/** The state of a stack that exists. */
export function stateFile(paths: Backend, stack: string): string {
  return kept(paths, "stacks", "understudy", `${stack}.json`);
}

async function copiesOfState(paths: Backend, stack: string): Promise<string[]> {
  const folder = kept(paths, "stacks", "understudy");
  const files = await readdir(folder).catch((): string[] => []);
  return files.filter((file) => file.startsWith(`${stack}.json.`)).map((file) => join(folder, file));
}

/** Removes the torn second files that an engine without `metadata=skip`, killed while it wrote one, has left. */
export async function mendBackend(paths: Backend, stack: string): Promise<void> {
  for (const file of [...(await copiesOfState(paths, stack)), kept(paths, "meta.yaml.attrs")]) {
    if (file.endsWith(".attrs") && (await stat(file).catch(() => undefined))?.size === 0) await rm(file, { force: true });
  }
}

/** Deletes the history, locks and copies of the state that the engine leaves of a destroyed stack. */
export async function forgetBackend(paths: Backend, stack: string): Promise<void> {
  const left = [
    kept(paths, "backups", "understudy", stack),
    kept(paths, "history", "understudy", stack),
    kept(paths, "locks", "organization", "understudy", stack),
    ...(await copiesOfState(paths, stack)),
  ];
  await Promise.all(left.map((path) => rm(path, { recursive: true, force: true })));
}
