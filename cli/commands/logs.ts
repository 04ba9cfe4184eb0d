import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { containerLog, followContainerLog } from "../../engine/docker/containers.ts";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { layoutOf, stackId } from "../../engine/process/layout.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { project } from "../project.ts";
import { deployedStack } from "../target.ts";
import { wholeNumber } from "../settings.ts";

interface LogsOptions {
  readonly follow: boolean;
  readonly lines: number;
}

export const addLogs: AddCommand = (program) => {
  const command = program
    .command("logs")
    .argument("[service]", "one service, such as app; proxy/access for the requests; default all")
    .description("what the services print")
    .option("-f, --follow", "go on as lines come", false)
    .option("-n, --lines <n>", "lines of each service to begin with", wholeNumber, 20)
    .action(async (service: string | undefined, options: LogsOptions) => {
      const { stack: name } = globalsOf(command);
      const containers = await containersOf(name);
      if (containers.length > 0) return showContainerLogs(chosen(containers, service), options);
      const folder = join(layoutOf(stackId(name, project.root)).folder, "log");
      const known = await logsUnder(folder);
      const wanted = service === undefined ? known : known.filter((log) => log === service);
      if (wanted.length === 0) {
        throw new UnderstudyError(
          known.length === 0 ? `Stack ${name} keeps no logs: it is not up.` : `"${service}" has no log; there are ${known.join(", ")}.`,
          { exitCode: exitCode.usage },
        );
      }
      // GNU tail knows how to follow through rotation; -F reopens by name.
      const files = wanted.map((log) => join(folder, log, "current"));
      await runTail(["-n", String(options.lines), ...(options.follow ? ["-F"] : []), ...files]);
    });
};

interface ServiceContainer {
  readonly name: string;
  readonly container: string;
}

/** The services of a stack that runs on Docker; none of any other. */
async function containersOf(stack: string): Promise<ServiceContainer[]> {
  const deployed = await deployedStack(stack).catch(() => undefined);
  return (deployed?.description.services ?? []).flatMap(({ name, container }) => (container === undefined ? [] : [{ name, container }]));
}

function chosen(containers: readonly ServiceContainer[], service: string | undefined): readonly ServiceContainer[] {
  // The proxy's requests are in its container's one log.
  const wanted = service === undefined ? containers : containers.filter(({ name }) => name === service.replace(/\/.*$/, ""));
  if (wanted.length > 0) return wanted;
  throw new UnderstudyError(`"${service}" has no log; there are ${containers.map(({ name }) => name).join(", ")}.`, { exitCode: exitCode.usage });
}

async function showContainerLogs(containers: readonly ServiceContainer[], { follow, lines }: LogsOptions): Promise<void> {
  let last = "";
  const show = (name: string, text: string) => {
    if (containers.length > 1 && name !== last) process.stdout.write(`${last === "" ? "" : "\n"}==> ${name} <==\n`);
    last = name;
    process.stdout.write(text);
  };
  if (!follow) {
    for (const { name, container } of containers) show(name, (await containerLog(container, lines)).map((line) => `${line}\n`).join(""));
    return;
  }
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort());
  await Promise.all(containers.map(({ name, container }) => followContainerLog(container, { lines, signal: abort.signal, onText: (text) => show(name, text) })));
}

async function logsUnder(folder: string): Promise<string[]> {
  const files = await readdir(folder, { recursive: true }).catch((): string[] => []);
  return files.filter((file) => file.endsWith("/current")).map((file) => file.slice(0, -"/current".length)).sort();
}

async function runTail(args: readonly string[]): Promise<void> {
  const tail = spawn("tail", args, { stdio: ["ignore", "inherit", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    tail.once("error", reject);
    tail.once("close", () => resolve());
  });
}
