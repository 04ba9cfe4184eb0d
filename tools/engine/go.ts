import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { installPackages, lastLines, rootPrefix } from "../install.ts";
import { findProgram } from "../../engine/process/findProgram.ts";
import { spoken } from "../say.ts";
import { atLeast, versionIn } from "../version.ts";
import type { EngineContext, Outcome } from "./attempts.ts";
import { cached } from "./cache.ts";
import { dynamicProvider } from "./onPath.ts";
import { runWatched } from "./watched.ts";

const run = promisify(execFile);
const engineModule = "github.com/pulumi/pulumi/pkg/v3";

/** Silence after which the module proxy counts as out of reach. */
const stallMs = 15_000;

/**
 * Builds the engine from Go modules, every one checked against go.sum and the checksum database, into the cache.
 * What Go fetches and compiles on the way (some 2 GB) lies in a work folder and goes with it.
 */
export function engineFromGo(context: EngineContext): Promise<Outcome> {
  return cached(context, async (workFolder) => {
    const installedGo = await goOnMachine(context);
    if ("passedOver" in installedGo) return installedGo;

    const env = {
      ...context.env,
      GOMODCACHE: join(workFolder, "modules"),
      GOCACHE: join(workFolder, "compiled"),
    };
    return build(context, { go: installedGo.go, env, workFolder });
  });
}

interface Workshop {
  readonly go: string;
  readonly env: NodeJS.ProcessEnv;
  readonly workFolder: string;
}

async function build(context: EngineContext, workshop: Workshop): Promise<{ passedOver: string } | undefined> {
  const { env, workFolder } = workshop;
  const fetched = await fetchModule(workshop, `${engineModule}@v${context.version}`);
  if (typeof fetched !== "string") return fetched;

  const recipe = join(context.root, "tools/engine");
  const go = await goNewEnough(context, workshop, join(recipe, "go.mod"));
  if (typeof go !== "string") return go;

  const sourceFolder = join(workFolder, "source");
  await mkdir(sourceFolder);
  await Promise.all(["go.mod", "go.sum"].map((name) => copyFile(join(recipe, name), join(sourceFolder, name))));

  context.say("engine", `building v${context.version} from Go modules: 3 to 10 minutes, once for all clones`);
  const version = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${context.version}`;
  const output = join(workFolder, "engine/bin/pulumi");
  const stopTelling = tellProgress(context);
  const { code, output: log } = await runWatched({
    command: go,
    args: ["build", "-ldflags", `-s -w ${version}`, "-o", output, `${engineModule}/cmd/pulumi`],
    cwd: sourceFolder,
    env,
  }).finally(stopTelling);
  if (code !== 0) return { passedOver: `go build failed: ${lastLines(log, 3)}` };

  const provider = join(workFolder, "engine/bin", dynamicProvider);
  await copyFile(join(recipe, dynamicProvider), provider);
  await chmod(provider, 0o755);
  return undefined;
}

function tellProgress({ say }: EngineContext): () => void {
  const startedMs = performance.now();
  const timer = setInterval(() => say("engine", `still building, ${spoken(performance.now() - startedMs)}`), 60_000);
  return () => clearInterval(timer);
}

/** Any Go: what is there, else Debian's. */
async function goOnMachine({ env, say, root }: EngineContext): Promise<{ go: string } | { passedOver: string }> {
  const there = findGo(env);
  if (there !== undefined) return { go: there };
  if (findProgram("apt-get") === undefined || rootPrefix() === undefined) {
    return { passedOver: "there is no go here, and no way to install golang-go" };
  }
  say("packages", "installing golang-go with apt-get, to build the engine with");
  await installPackages(root, ["golang-go"]);
  const go = findGo(env);
  return go === undefined ? { passedOver: "golang-go is installed, but there is still no go" } : { go };
}

function findGo(env: NodeJS.ProcessEnv): string | undefined {
  return findProgram("go", env) ?? findProgram("/usr/local/go/bin/go");
}

/**
 * A Go as new as go.mod wants: the machine's, else the one the module proxy has. Any Go can fetch that like a module,
 * checked against the checksum database; those before 1.21 only leave the programs' execute bits out.
 */
async function goNewEnough(context: EngineContext, workshop: Workshop, goMod: string): Promise<string | { passedOver: string }> {
  const wanted = /^go (\S+)$/m.exec(await readFile(goMod, "utf8"))?.[1] ?? "";
  const { stdout } = await run(workshop.go, ["version"], { env: { ...workshop.env, GOTOOLCHAIN: "local" } });
  if (atLeast(versionIn(stdout) ?? [], versionIn(wanted) ?? [])) return workshop.go;

  context.say("engine", `this machine's Go is ${(versionIn(stdout) ?? []).join(".")}: fetching Go ${wanted} as a module`);
  const folder = await fetchModule(workshop, `golang.org/toolchain@v0.0.1-go${wanted}.${goPlatform()}`);
  if (typeof folder !== "string") return folder;
  await makeExecutable(join(folder, "bin"));
  await makeExecutable(join(folder, "pkg/tool", goPlatform().replace("-", "_")));
  return join(folder, "bin/go");
}

function goPlatform(): string {
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  return `${process.platform}-${architecture}`;
}

async function makeExecutable(folder: string): Promise<void> {
  const names = await readdir(folder);
  await Promise.all(names.map((name) => chmod(join(folder, name), 0o555)));
}

/** Fetches one module and says where it lies. */
async function fetchModule({ go, env, workFolder }: Workshop, module: string): Promise<string | { passedOver: string }> {
  const { code, output, stalled } = await runWatched({
    command: go,
    args: ["mod", "download", "-json", module],
    cwd: workFolder,
    env,
    fills: { folder: workFolder, stallMs },
  });
  if (stalled) return { passedOver: `the Go module proxy did not answer for ${stallMs / 1000} s` };
  if (code !== 0) return { passedOver: `${module} is not to be had: ${errorIn(output)}` };
  return /"Dir": "([^"]+)"/.exec(output)?.[1] ?? { passedOver: `go did not say where it put ${module}` };
}

function errorIn(output: string): string {
  return /"Error": "([^"]+)"/.exec(output)?.[1] ?? lastLines(output, 1);
}
