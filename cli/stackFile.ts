import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { exitCode, messageOf, UnderstudyError } from "../engine/errors.ts";
import type { ProjectPaths } from "./project.ts";

/** `Pulumi.STACK.yaml`, as far as we touch it. */
const stackFile = z.looseObject({
  config: z.record(z.string(), z.unknown()).optional(),
  encryptionsalt: z.string().optional(),
});
type StackFile = z.infer<typeof stackFile>;

/** Settings of the command line that stay with a stack until it is destroyed: `ports.app` → 4001. */
export type Overrides = Readonly<Record<string, unknown>>;

function committedPath({ root }: ProjectPaths, stack: string): string {
  return join(root, `Pulumi.${stack}.yaml`);
}

/** The configuration the engine really reads: what is committed, the overrides, and the salt, which git need not see. */
function effectivePath(workFolder: string, stack: string): string {
  return join(workFolder, `Pulumi.${stack}.yaml`);
}

function overridesPath({ work }: ProjectPaths, stack: string): string {
  return join(work, `${stack}.overrides.yaml`);
}

async function readYaml(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch (cause) {
    throw new UnderstudyError(`${path} is not valid YAML: ${messageOf(cause)}`, { exitCode: exitCode.usage, cause });
  }
}

async function readStackFile(path: string): Promise<StackFile> {
  const document = await readYaml(path);
  if (document === undefined || document === null) return {};
  const parsed = stackFile.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new UnderstudyError(`${path} is not a stack's configuration: ${parsed.error.issues.map(({ message }) => message).join("; ")}.`, {
    exitCode: exitCode.usage,
  });
}

export async function readOverrides(paths: ProjectPaths, stack: string): Promise<Overrides> {
  const document = await readYaml(overridesPath(paths, stack));
  return z.record(z.string(), z.unknown()).catch({}).parse(document ?? {});
}

export async function writeOverrides(paths: ProjectPaths, stack: string, overrides: Overrides): Promise<void> {
  await writeAtomically(overridesPath(paths, stack), stringify(overrides));
}

async function writeAtomically(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.draft`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, path);
}

/** Sets `ports.app` in `{ "understudy:ports": { … } }`, making what is not there. */
function setPath(config: Record<string, unknown>, path: string, value: unknown): void {
  const [first = "", ...rest] = path.split(".");
  const key = `understudy:${first}`;
  if (rest.length === 0) {
    config[key] = value;
    return;
  }
  const base = config[key];
  const top: Record<string, unknown> = typeof base === "object" && base !== null ? { ...base } : {};
  config[key] = top;
  let at = top;
  for (const name of rest.slice(0, -1)) {
    const below = at[name];
    const next: Record<string, unknown> = typeof below === "object" && below !== null ? { ...below } : {};
    at[name] = next;
    at = next;
  }
  at[rest.at(-1) ?? ""] = value;
}

/**
 * Writes the effective configuration into a work folder: what `Pulumi.STACK.yaml` says, then the overrides.
 * The committed file's salt counts where it has one; else that of an earlier run.
 */
export async function writeEffective(paths: ProjectPaths, stack: string, overrides: Overrides, workFolder: string): Promise<void> {
  const committed = await readStackFile(committedPath(paths, stack));
  const earlier = await readStackFile(effectivePath(paths.work, stack));
  const config: Record<string, unknown> = { ...committed.config };
  for (const [path, value] of Object.entries(overrides)) setPath(config, path, value);
  const salt = committed.encryptionsalt ?? earlier.encryptionsalt;
  await writeAtomically(
    effectivePath(workFolder, stack),
    stringify({ ...committed, config, ...(salt === undefined ? {} : { encryptionsalt: salt }) }),
  );
  await writeAtomically(join(workFolder, "Pulumi.yaml"), stringify({ name: "understudy", runtime: "nodejs" }));
}

/** Forgets the configuration that went with a destroyed stack. */
export async function forgetSettings(paths: ProjectPaths, stack: string): Promise<void> {
  for (const path of [effectivePath(paths.work, stack), overridesPath(paths, stack)]) await rm(path, { force: true });
}

/** The effective configuration as the engine would give it to the program; secrets are left out. Writes nothing. */
export async function readEffectiveEntries(
  paths: ProjectPaths,
  stack: string,
  overrides?: Overrides,
): Promise<Record<string, string>> {
  const config: Record<string, unknown> = { ...(await readStackFile(committedPath(paths, stack))).config };
  for (const [path, value] of Object.entries(overrides ?? (await readOverrides(paths, stack)))) setPath(config, path, value);
  const isSecret = (value: unknown) => typeof value === "object" && value !== null && "secure" in value;
  return Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => !isSecret(value))
      .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

/** The encrypted value that the engine has just put into the effective configuration. */
export async function readSecure(paths: ProjectPaths, stack: string, key: string): Promise<unknown> {
  return (await readStackFile(effectivePath(paths.work, stack))).config?.[`understudy:${key}`];
}
