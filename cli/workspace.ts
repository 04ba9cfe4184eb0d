import { randomBytes } from "node:crypto";
import { access, chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { LocalWorkspace, PulumiCommand, Stack, type OutputMap } from "@pulumi/pulumi/automation/index.js";
import { exitCode, UnderstudyError } from "../engine/errors.ts";
import { stackId } from "../engine/process/layout.ts";
import { parseConfig } from "../config.ts";
import program from "../index.ts";
import { findEngine } from "../tools/engine.ts";
import { backendUrl, mendBackend, stateFile } from "./backend.ts";
import { clearStaleLocks } from "./locks.ts";
import { endOrphans, operationMark, operationVariable } from "./orphans.ts";
import { project, type ProjectPaths } from "./project.ts";
import { readEffectiveEntries, readOverrides, writeEffective, writeOverrides, type Overrides } from "./stackFile.ts";

/** A stack, ready for an operation of the engine. */
export interface OpenStack {
  readonly name: string;
  readonly stack: Stack;
  readonly overrides: Overrides;
  /** Whether anything was ever deployed under that name. */
  readonly exists: boolean;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** `write` changes the stack; `read` leaves no trace, not even when the stack was never made. */
  readonly mode: "read" | "write";
  readonly overrides?: Overrides;
  /** The operation runs the program, so the configuration is looked at first. Default false: what is there can always be destroyed. */
  readonly runsProgram?: boolean;
  readonly paths?: ProjectPaths;
}

/** A URL, since what may hold spaces cannot stand in NODE_OPTIONS. */
const leanPulumi = new URL("leanPulumi.ts", import.meta.url).href;

const stackName = /^[a-z][a-z0-9-]{0,40}$/;

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function ensurePassphrase(path: string): Promise<void> {
  if (await exists(path)) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, randomBytes(32).toString("base64url"), { mode: 0o600, flag: "wx" });
}

/**
 * Opens a stack on the real engine, with the program of this checkout run inline.
 * @throws UnderstudyError exit 2 for a name that cannot be one, exit 3 without an engine.
 */
export async function openStack(name: string, options: OpenOptions): Promise<OpenStack> {
  const { mode, paths = project } = options;
  if (!stackName.test(name)) {
    throw new UnderstudyError(`"${name}" cannot be a stack's name: lower-case letters, digits and dashes, a letter first, at most 41.`, {
      exitCode: exitCode.usage,
    });
  }
  const deployed = await exists(stateFile(paths, name));
  const scratch = mode === "read" ? await mkdtemp(join(tmpdir(), "understudy-")) : undefined;
  try {
    // A preview of what was never made runs on a backend of its own, which is thrown away.
    const own = scratch === undefined || deployed ? paths.own : scratch;
    const place = { backend: join(own, "backend"), passphrase: join(own, "passphrase") };
    await mkdir(place.backend, { recursive: true, mode: 0o700 });
    await chmod(own, 0o700);
    await ensurePassphrase(place.passphrase);
    const overrides = { ...(await readOverrides(paths, name)), ...options.overrides };
    if (options.runsProgram === true) parseConfig(await readEffectiveEntries(paths, name, overrides));
    if (mode === "write") {
      await endOrphans(stackId(name, paths.root));
      await clearStaleLocks(paths, name);
      await mendBackend(paths, name);
    }

    const workFolder = scratch === undefined ? paths.work : join(scratch, "work");
    await writeEffective(paths, name, overrides, workFolder);
    if (mode === "write" && options.overrides !== undefined) await writeOverrides(paths, name, overrides);

    const workspace = await openWorkspace(paths, place, {
      workDir: workFolder,
      pulumiHome: join(scratch ?? paths.own, "home"),
      mark: mode === "write" ? operationMark(stackId(name, paths.root)) : undefined,
    });
    const known = await exists(stateFile(place, name));
    // Every operation names its stack, so that none has to be selected: a start of the engine saved.
    workspace.selectStack = async () => {};
    const stack = await (known ? Stack.select(name, workspace) : Stack.create(name, workspace));
    return {
      name,
      stack,
      overrides,
      exists: deployed,
      close: async () => {
        if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
      },
    };
  } catch (error) {
    if (scratch !== undefined) await rm(scratch, { recursive: true, force: true });
    throw error;
  }
}

async function openWorkspace(
  { root }: ProjectPaths,
  place: { readonly backend: string; readonly passphrase: string },
  options: { readonly workDir: string; readonly pulumiHome: string; readonly mark: string | undefined },
): Promise<LocalWorkspace> {
  const { mark, ...folders } = options;
  const engine = await findEngine({ root });
  // The engine looks for the dynamic provider beside itself or on PATH, and this process for the engine.
  process.env["PATH"] = [dirname(engine.pulumiPath), process.env["PATH"] ?? ""].join(delimiter);
  return LocalWorkspace.create({
    ...folders,
    program,
    pulumiCommand: await PulumiCommand.get({ skipVersionCheck: true }),
    envVars: {
      ...(mark === undefined ? {} : { [operationVariable]: mark }),
      PULUMI_BACKEND_URL: backendUrl(place.backend),
      PULUMI_CONFIG_PASSPHRASE_FILE: place.passphrase,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      // The engine and the bundler are Go programs that would let their heaps double before they clear them.
      GOGC: process.env["GOGC"] ?? "20",
      NODE_OPTIONS: [process.env["NODE_OPTIONS"], "--max-semi-space-size=4", `--import=${leanPulumi}`].filter(Boolean).join(" "),
      UNDERSTUDY_ROOT: root,
      UNDERSTUDY_NODE: process.execPath,
    },
  });
}

/**
 * The outputs of a deployed stack.
 * @throws UnderstudyError (exit 2) when it was never deployed.
 */
export async function outputsOf(name: string): Promise<OutputMap> {
  await requireDeployed(name);
  const open = await openStack(name, { mode: "read" });
  try {
    return await open.stack.outputs();
  } finally {
    await open.close();
  }
}

/** @throws UnderstudyError (exit 2) when the stack was never deployed. */
export async function requireDeployed(name: string, paths: ProjectPaths = project): Promise<void> {
  if (await exists(stateFile(paths, name))) return;
  throw new UnderstudyError(`There is no stack ${name} here.`, {
    exitCode: exitCode.usage,
    remedy: `Make it with: understudy up --stack ${name}`,
  });
}
