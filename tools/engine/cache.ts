import { execFile } from "node:child_process";
import { access, constants, mkdir, readdir, rename, rm } from "node:fs/promises";
import { homedir, hostname } from "node:os";
import { isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import type { EngineContext, Outcome } from "./attempts.ts";
import { dynamicProvider } from "./onPath.ts";

/** The folder in which all clones of the project keep what is costly to get. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const configured = env["XDG_CACHE_HOME"];
  const base = configured !== undefined && isAbsolute(configured) ? configured : join(env["HOME"] ?? homedir(), ".cache");
  return join(base, "understudy");
}

/** Where an engine of a version is kept; `bin/` holds `pulumi` and the provider for dynamic resources. */
function engineFolder({ cache, version }: EngineContext): string {
  return join(cache, "pulumi", `v${version}`);
}

/** The engine an earlier set-up downloaded or built. It was put there whole, so that it is there is enough. */
export async function engineInCache(context: EngineContext): Promise<Outcome> {
  const folder = engineFolder(context);
  const [pulumiPath, providerPath] = programsIn(folder);
  const whole = await Promise.all([access(pulumiPath, constants.X_OK), access(providerPath, constants.X_OK)]).then(
    () => true,
    () => false,
  );
  return whole ? { pulumiPath, version: context.version } : { passedOver: `nothing in ${shortened(folder, context.env)}` };
}

function programsIn(folder: string): [pulumiPath: string, providerPath: string] {
  return [join(folder, "bin/pulumi"), join(folder, "bin", dynamicProvider)];
}

/**
 * Lets an engine be made in a folder of its own beside the cache's, and moves it into place whole.
 *
 * @param make fills the folder's `engine/`, may use the rest as it likes, and says why when it cannot
 */
export async function cached(
  context: EngineContext,
  make: (workFolder: string) => Promise<{ passedOver: string } | undefined>,
): Promise<Outcome> {
  const parent = join(context.cache, "pulumi");
  await removeAbandoned(parent);
  const workFolder = join(parent, `${workPrefix()}${process.pid}`);
  await mkdir(join(workFolder, "engine/bin"), { recursive: true });
  try {
    const failure = await make(workFolder);
    if (failure !== undefined) return failure;
    await rm(engineFolder(context), { recursive: true, force: true });
    await rename(join(workFolder, "engine"), engineFolder(context));
  } finally {
    await removeTree(workFolder);
  }
  return engineInCache(context);
}

/** Machines may share a cache, and only the own one knows which of its processes live. */
function workPrefix(): string {
  return `work-${hostname()}-`;
}

/** Work folders of set-ups that were killed on this machine. */
async function removeAbandoned(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  const own = names.filter((name) => name.startsWith(workPrefix()));
  const abandoned = own.filter((name) => {
    const pid = Number(name.slice(workPrefix().length));
    return pid === process.pid || !isAlive(pid);
  });
  await Promise.all(abandoned.map((name) => removeTree(join(parent, name))));
}

/** Go makes the folders of its modules read-only, which nobody but root may empty. */
async function removeTree(folder: string): Promise<void> {
  await promisify(execFile)("chmod", ["-R", "u+w", folder]).catch(() => {});
  await rm(folder, { recursive: true, force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** A path with the home folder as `~`. */
export function shortened(path: string, env: NodeJS.ProcessEnv): string {
  const home = env["HOME"];
  return home !== undefined && path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
