import { execFile } from "node:child_process";
import { chmod, chown, lstat, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { exitCode, UnderstudyError } from "../errors.ts";
import type { Account } from "./account.ts";
import type { StackLayout } from "./layout.ts";
import { rescan } from "./supervisor.ts";

const run = promisify(execFile);

/** A file that a service reads, made before it starts, owned by its account, 0600. */
export interface ServiceFile {
  /** Relative to the service's own configuration folder. */
  readonly path: string;
  readonly content: string;
}

/** How the lines that a service prints are kept. */
export interface LogPolicy {
  /** Whether each line gets a time stamp in front; false where the program writes its own. */
  readonly timestamps: boolean;
  /** Lines that match (POSIX extended) are kept apart, in a folder of that name. */
  readonly routes: readonly { readonly name: string; readonly pattern: string }[];
}

/** One supervised process: everything s6 needs to run it. */
export interface ServiceDefinition {
  readonly name: string;
  /** Absolute program, then its arguments; never a secret. */
  readonly argv: readonly string[];
  /** May hold secrets: kept in files of the owner, 0600, given to the process only. */
  readonly environment: Readonly<Record<string, string>>;
  readonly files: readonly ServiceFile[];
  readonly account: Account | undefined;
  /** Signal for an orderly stop; default SIGTERM. PostgreSQL's fast shutdown is SIGINT. */
  readonly stopSignal?: "SIGTERM" | "SIGINT" | "SIGQUIT";
  readonly logs: LogPolicy;
  readonly openFiles?: number;
}

/** What the supervisor says of a service. */
export interface ServiceState {
  readonly up: boolean;
  readonly pid?: number;
  readonly uptimeMs?: number;
  /** Whether it is meant to be up; `false` after someone stopped it by hand. */
  readonly wantedUp: boolean;
  readonly exits: readonly { readonly atMs: number; readonly code: number | null; readonly signal: string | null }[];
}

/** Ten old logs of 1 MB each. */
const rotation = "n10 s1000000";

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function asAccount(account: Account | undefined): string {
  return account === undefined ? "" : `s6-setuidgid ${quote(account.name)} `;
}

/** The `run` script: environment from files, then the account, then the program itself. Holds no secret. */
export function runScript(definition: ServiceDefinition, layout: StackLayout): string {
  const { account, openFiles = 4_096 } = definition;
  const folder = layout.config(definition.name);
  return [
    "#!/bin/sh",
    "exec 2>&1",
    // The log is a pipe of the supervisor's; a program that opens /dev/stdout by name must own it.
    ...(account === undefined ? [] : [`chown ${quote(account.name)} /proc/self/fd/1`]),
    "umask 077",
    `cd ${quote(folder)}`,
    `exec s6-envdir ${quote(join(layout.service(definition.name), "env"))} s6-softlimit -o ${openFiles} \\`,
    `  ${asAccount(account)}${definition.argv.map(quote).join(" ")}`,
    "",
  ].join("\n");
}

/** The `log/run` script: s6-log keeps each route's lines apart, all of them rotated. */
export function logScript({ account, logs }: ServiceDefinition, folder: string): string {
  const stamp = logs.timestamps ? "T " : "";
  const routes = logs.routes.map(({ name, pattern }) => `- ${quote(`+${pattern}`)} ${rotation} ${quote(join(folder, name))}`);
  const rest = ["+", ...logs.routes.map(({ pattern }) => quote(`-${pattern}`)), `${stamp}${rotation}`, quote(folder)].join(" ");
  return `#!/bin/sh\nexec ${asAccount(account)}s6-log -b -- ${[...routes, rest].join(" ")}\n`;
}

async function give(path: string, account: Account | undefined): Promise<void> {
  if (account !== undefined) await chown(path, account.uid, account.gid);
}

async function makeFolder(path: string, account: Account | undefined): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, 0o700);
  await give(path, account);
}

/** Writes the files a service reads; what is there is replaced in a moment. */
export async function writeServiceFiles(layout: StackLayout, definition: ServiceDefinition): Promise<void> {
  const folder = layout.config(definition.name);
  await makeFolder(folder, definition.account);
  for (const file of definition.files) {
    if (isAbsolute(file.path) || file.path.split("/").includes("..")) {
      throw new Error(`file ${file.path} of service ${definition.name} leaves its folder`);
    }
    const path = join(folder, file.path);
    if (dirname(file.path) !== ".") await makeFolder(dirname(path), definition.account);
    const draft = `${path}.draft`;
    await rm(draft, { force: true });
    await writeFile(draft, file.content, { mode: 0o600, flag: "wx" });
    await give(draft, definition.account);
    await rename(draft, path);
  }
}

/** Builds the s6 service folder, whole, before the supervisor can see it. */
async function writeServiceFolder(layout: StackLayout, definition: ServiceDefinition): Promise<void> {
  const folder = layout.service(definition.name);
  const logs = layout.logs(definition.name);
  await makeFolder(logs, definition.account);
  for (const { name } of definition.logs.routes) await makeFolder(join(logs, name), definition.account);
  await mkdir(join(folder, "log"), { recursive: true });
  await rm(join(folder, "env"), { recursive: true, force: true });
  await mkdir(join(folder, "env"), { mode: 0o700 });
  for (const [name, value] of Object.entries(definition.environment)) {
    // s6-envdir: a NUL stands for a newline, so that a value may span lines.
    await writeFile(join(folder, "env", name), `${value.replaceAll("\n", "\0")}\n`, { mode: 0o600 });
  }
  const scripts: readonly (readonly [string, string])[] = [
    ["run", runScript(definition, layout)],
    ["log/run", logScript(definition, logs)],
  ];
  for (const [path, script] of scripts) await writeFile(join(folder, path), script, { mode: 0o700 });
  await writeFile(join(folder, "down-signal"), `${definition.stopSignal ?? "SIGTERM"}\n`);
  await writeFile(join(folder, "timeout-kill"), "8000\n");
  await writeFile(join(folder, "max-death-tally"), "20\n");
}

/** Starts (or, when it is there already, restarts with its new definition) a service under the stack's supervisor. */
export async function startService(layout: StackLayout, definition: ServiceDefinition): Promise<void> {
  await stopService(layout, definition.name);
  await writeServiceFiles(layout, definition);
  await writeServiceFolder(layout, definition);
  const link = join(layout.scan, definition.name);
  if ((await lstat(link).catch(() => undefined)) === undefined) {
    await symlink(layout.service(definition.name), link);
    await rescan(layout);
    await untilSupervised(link);
  } else {
    await bringUp(layout, definition.name);
  }
}

/**
 * Stops a service and waits until it is down. One that nobody supervises is left alone: its supervisor died, and what it
 * left running is ended with the stack's supervisor.
 */
export async function stopService(layout: StackLayout, name: string, timeoutMs = 10_000): Promise<void> {
  const link = join(layout.scan, name);
  if (!(await isSupervised(link))) return;
  await run("s6-svc", ["-wD", "-T", String(timeoutMs), "-d", link]).catch(() => undefined);
}

/** Ends a service in an orderly way and starts it again as it is defined. */
export async function restartService(layout: StackLayout, name: string): Promise<void> {
  await stopService(layout, name);
  await bringUp(layout, name);
}

/**
 * Starts a service that was stopped. Its ends up to here were wanted, and are forgotten. Until the supervisor has taken in that it
 * is to be up again, it would say that the service was stopped by hand.
 */
async function bringUp(layout: StackLayout, name: string): Promise<void> {
  await rm(join(layout.service(name), "supervise", "death_tally"), { force: true });
  await run("s6-svc", ["-wu", "-T", "5000", "-u", join(layout.scan, name)]).catch(() => undefined);
}

/** Stops a service and removes its folders: definition, configuration and logs; not its data. */
export async function removeService(layout: StackLayout, name: string): Promise<void> {
  await stopService(layout, name);
  await rm(join(layout.scan, name), { force: true });
  await rescan(layout).catch(() => undefined);
  const deadline = Date.now() + 3_000;
  const parts = [layout.service(name), join(layout.service(name), "log")];
  while (Date.now() < deadline && (await Promise.all(parts.map(isSupervised))).includes(true)) await sleep(20);
  for (const folder of [layout.service(name), layout.config(name), layout.logs(name)]) {
    // A supervisor writes its last state as it goes.
    await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

async function isSupervised(folder: string): Promise<boolean> {
  return run("s6-svok", [folder]).then(
    () => true,
    () => false,
  );
}

/** The scan is asynchronous: until it has come by, the supervisor knows nothing of the service. */
async function untilSupervised(folder: string, timeoutMs = 5_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isSupervised(folder))) {
    if (Date.now() > deadline) {
      throw new UnderstudyError(`The supervisor did not take up ${folder} within ${timeoutMs} ms.`, {
        exitCode: exitCode.provisioning,
        remedy: "Look at supervisor.log in the stack's folder.",
      });
    }
    await sleep(10);
  }
}

/** What the supervisor knows of the service, its last deaths included. */
export async function serviceState(layout: StackLayout, name: string): Promise<ServiceState> {
  const folder = join(layout.scan, name);
  const fields = await run("s6-svstat", ["-o", "up,wantedup,pid,updownfor", folder]).then(
    ({ stdout }) => stdout.trim().split(/\s+/),
    () => undefined,
  );
  // Nothing known is not the same as stopped by hand.
  if (fields === undefined) return { up: false, wantedUp: true, exits: [] };
  const [up, wantedUp, pid, seconds] = fields;
  const exits = await deaths(folder);
  if (up !== "true") return { up: false, wantedUp: wantedUp === "true", exits };
  return { up: true, wantedUp: wantedUp === "true", pid: Number(pid), uptimeMs: Number(seconds) * 1_000, exits };
}

/** TAI64 labels start at 2^62, and TAI has been 37 s ahead of UTC since 2017 (https://cr.yp.to/libtai/tai64.html). */
const tai64Epoch = 2n ** 62n + 37n;

/** Lines of `s6-svdt`: `@<TAI64N> exitcode 1` or `@<TAI64N> signal SIGKILL`. */
export function parseDeaths(text: string): ServiceState["exits"] {
  return text.split("\n").flatMap((line) => {
    const match = /^@([0-9a-f]{16})([0-9a-f]{8})\s+(exitcode|signal)\s+(\S+)/.exec(line);
    if (match === null) return [];
    const [, seconds = "0", nanoseconds = "0", kind, value = ""] = match;
    const atMs = Number(BigInt(`0x${seconds}`) - tai64Epoch) * 1_000 + Number.parseInt(nanoseconds, 16) / 1e6;
    return [kind === "exitcode" ? { atMs, code: Number(value), signal: null } : { atMs, code: null, signal: value }];
  });
}

async function deaths(folder: string): Promise<ServiceState["exits"]> {
  return run("s6-svdt", ["-n", "10", folder]).then(
    ({ stdout }) => parseDeaths(stdout),
    () => [],
  );
}

/** The last lines of a service's log, newest last. */
export async function logTail(layout: StackLayout, name: string, lines = 20): Promise<string[]> {
  const text = await readFile(join(layout.logs(name), "current"), "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-lines);
}

/** Gives a running service new files and asks it to read them; starts it when it is down. */
export async function reloadService(layout: StackLayout, definition: ServiceDefinition, signal: "SIGHUP"): Promise<void> {
  const { up, pid } = await serviceState(layout, definition.name);
  if (!up || pid === undefined) return startService(layout, definition);
  await writeServiceFiles(layout, definition);
  process.kill(pid, signal);
}
