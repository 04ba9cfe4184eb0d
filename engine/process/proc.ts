import { readdir, readFile, readlink } from "node:fs/promises";

/** Environment variable that every process of a stack carries; how `destroy` proves that none is left. */
export const stackVariable = "UNDERSTUDY_STACK";

export interface ProcessInfo {
  readonly pid: number;
  readonly command: string;
}

async function commandOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const command = text.split("\0").filter((part) => part !== "").join(" ");
  return command === "" ? (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim() : command;
}

async function pids(): Promise<number[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Somebody's shell, or what runs in it: a service never has a terminal. */
async function hasTerminal(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [, , , , , terminal] = text.slice(text.lastIndexOf(")") + 1).split(" ");
  return terminal !== undefined && terminal !== "0";
}

/** A stack as processes know it. */
export interface StackPlace {
  readonly id: string;
  readonly folder: string;
}

/**
 * Whether a process belongs to a stack: it carries the stack's variable, or works in the stack's folder.
 * PostgreSQL, Redis and nginx write their titles over their environment, but all of them work in that folder.
 * A person's shell that stands there is not one of them.
 */
export async function belongsTo(stack: StackPlace, pid: number): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
  if (environment.split("\0").includes(`${stackVariable}=${stack.id}`)) return true;
  const workingFolder = await readlink(`/proc/${pid}/cwd`).catch(() => "");
  return `${workingFolder}/`.startsWith(`${stack.folder}/`) && !(await hasTerminal(pid));
}

/** Every process on the machine that belongs to a stack. */
export async function processesOf(stack: StackPlace): Promise<ProcessInfo[]> {
  const found = await Promise.all(
    (await pids()).map(async (pid) => ((await belongsTo(stack, pid)) ? { pid, command: await commandOf(pid) } : undefined)),
  );
  return found.filter((info) => info !== undefined);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function socketInodes(table: string, port: number): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return table
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1]?.endsWith(suffix) === true && fields[3] === "0A")
    .flatMap((fields) => (fields[9] === undefined ? [] : [fields[9]]));
}

/** Who listens on a TCP port, as far as this user may see; `undefined` when nobody does. */
export async function listenerOn(port: number): Promise<ProcessInfo | "unknown" | undefined> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readFile(path, "utf8").catch(() => "")),
  );
  const inodes = new Set(tables.flatMap((table) => socketInodes(table, port)));
  if (inodes.size === 0) return undefined;
  for (const pid of await pids()) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) return { pid, command: await commandOf(pid) };
    }
  }
  return "unknown";
}

/** Sends a signal; a process that is gone already has what it wanted. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
