import { execFile, spawn } from "node:child_process";
import { access, chmod, mkdir, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { exitCode, UnderstudyError } from "../errors.ts";
import { type StackLayout } from "./layout.ts";
import { isAlive, processesOf, signalProcess, stackVariable, type ProcessInfo } from "./proc.ts";

const run = promisify(execFile);

const pidFile = "svscan.pid";

function scanPid(layout: StackLayout): Promise<number | undefined> {
  return readFile(join(layout.folder, pidFile), "utf8").then(
    (text) => Number(text) || undefined,
    () => undefined,
  );
}

async function isScanner(pid: number, layout: StackLayout): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return command.includes("s6-svscan") && command.includes(layout.scan);
}

/** Whether the stack's supervisor runs. */
export async function isSupervisorUp(layout: StackLayout): Promise<boolean> {
  const pid = await scanPid(layout);
  return pid !== undefined && (await isScanner(pid, layout));
}

/**
 * Starts one `s6-svscan` for the stack, detached from the caller, and waits until it takes commands.
 * Idempotent: a running one is left alone, services it finds in its scan folder are started.
 * @throws UnderstudyError (exit 3) when it does not come up in `timeoutMs` (default 5,000).
 */
export async function startSupervisor(layout: StackLayout, timeoutMs = 5_000): Promise<void> {
  await mkdir(layout.scan, { recursive: true });
  for (const folder of ["services", "etc", "data", "log"]) await mkdir(join(layout.folder, folder), { recursive: true });
  // Service accounts pass through to their own folders; nobody else can list or read what is in them.
  for (const folder of [layout.folder, ...["etc", "data", "log"].map((name) => join(layout.folder, name))]) {
    await chmod(folder, 0o711);
  }
  await chmod(join(layout.folder, "services"), 0o700);
  await chmod(layout.scan, 0o700);
  if (await isSupervisorUp(layout)) return;
  await endOrphans(layout);

  const log = await open(join(layout.folder, "supervisor.log"), "a", 0o600);
  const child = spawn("s6-svscan", ["-c", "64", layout.scan], {
    cwd: layout.folder,
    detached: true,
    env: {
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      LC_ALL: "C.UTF-8",
      TZ: "UTC",
      [stackVariable]: layout.id,
    },
    stdio: ["ignore", log.fd, log.fd],
  });
  const failed = new Promise<Error>((resolve) => child.once("error", resolve));
  child.unref();
  await log.close();
  if (child.pid === undefined) {
    throw new UnderstudyError(`The supervisor could not be started: ${(await failed).message}.`, {
      exitCode: exitCode.provisioning,
      remedy: "Install the package s6, or run `make setup`.",
    });
  }
  await writeFile(join(layout.folder, pidFile), String(child.pid));
  await waitUntil(() => takesCommands(layout), timeoutMs, `The supervisor of ${layout.id} took no commands`);
}

async function takesCommands(layout: StackLayout): Promise<boolean> {
  return access(join(layout.scan, ".s6-svscan", "control")).then(
    () => run("s6-svscanctl", ["-a", layout.scan]).then(() => true, () => false),
    () => false,
  );
}

/** What a killed supervisor left running would fight over ports and locks with its successor. */
async function endOrphans(layout: StackLayout): Promise<void> {
  await endProcesses(layout, "SIGTERM", 3_000);
  await endProcesses(layout, "SIGKILL", 2_000);
  const services = await readdir(join(layout.folder, "services")).catch(() => []);
  for (const service of services) {
    for (const part of [service, join(service, "log")]) {
      await rm(join(layout.service(part), "supervise"), { recursive: true, force: true });
    }
  }
  await rm(join(layout.scan, ".s6-svscan"), { recursive: true, force: true });
}

async function endProcesses(layout: StackLayout, signal: "SIGTERM" | "SIGKILL", withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (const { pid } of await processesOf(layout)) signalProcess(pid, signal);
  while ((await processesOf(layout)).length > 0 && Date.now() < deadline) await sleep(50);
}

/** Makes the supervisor look at its scan folder now, and forget what is no longer there. */
export async function rescan(layout: StackLayout): Promise<void> {
  await run("s6-svscanctl", ["-an", layout.scan]);
}

/**
 * Ends the supervisor and everything under it, then whatever still carries the stack's name.
 * @returns the processes that would not go, normally none.
 */
export async function stopSupervisor(layout: StackLayout, timeoutMs = 8_000): Promise<ProcessInfo[]> {
  const pid = await scanPid(layout);
  if (pid !== undefined && (await isScanner(pid, layout))) {
    await run("s6-svscanctl", ["-t", layout.scan]).catch(() => signalProcess(pid, "SIGTERM"));
    const deadline = Date.now() + timeoutMs;
    while ((await processesOf(layout)).length > 0 && Date.now() < deadline) await sleep(50);
  }
  if ((await processesOf(layout)).length > 0) await endOrphans(layout);
  return processesOf(layout);
}

async function waitUntil(condition: () => Promise<boolean>, timeoutMs: number, what: string): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      throw new UnderstudyError(`${what} within ${timeoutMs} ms.`, { exitCode: exitCode.provisioning });
    }
    await sleep(25);
  }
}
