import { readdir, readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, signalProcess } from "../engine/process/proc.ts";

/** What an engine and its providers carry: the stack they work on, and the command that started them. */
export const operationVariable = "UNDERSTUDY_OPERATION";

export function operationMark(stackId: string, commandPid: number = process.pid): string {
  return `${stackId}:${commandPid}`;
}

const graceMs = 5_000;

/**
 * Ends the engine and the providers of a command that was killed: they would go on changing the stack under our hands.
 * What a living command started is left alone.
 * @returns how many processes were ended.
 */
export async function endOrphans(stackId: string): Promise<number> {
  const orphans = await orphansOf(stackId);
  // The engine takes SIGINT as a wish to stop in order, and lets go of its lock.
  for (const pid of orphans) signalProcess(pid, "SIGINT");
  const deadline = Date.now() + graceMs;
  while (orphans.some(isAlive) && Date.now() < deadline) await sleep(50);
  for (const pid of orphans.filter(isAlive)) signalProcess(pid, "SIGKILL");
  while (orphans.some(isAlive) && Date.now() < deadline + graceMs) await sleep(20);
  return orphans.length;
}

async function orphansOf(stackId: string): Promise<number[]> {
  const found = await Promise.all(
    (await readdir("/proc"))
      .filter((name) => /^\d+$/.test(name))
      .map(async (name): Promise<number | undefined> => {
        const environment = await readFile(`/proc/${name}/environ`, "utf8").catch(() => "");
        const mark = environment.split("\0").find((entry) => entry.startsWith(`${operationVariable}=${stackId}:`));
        const commandPid = Number(mark?.split(":").at(-1));
        return mark === undefined || isAlive(commandPid) ? undefined : Number(name);
      }),
  );
  return found.filter((pid) => pid !== undefined);
}
