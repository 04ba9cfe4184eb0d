import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import { layoutOf, stackId } from "../../engine/process/layout.ts";
import { globalsOf, type AddCommand } from "../context.ts";
import { project } from "../project.ts";
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
