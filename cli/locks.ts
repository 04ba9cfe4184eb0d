import { readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { exitCode, UnderstudyError } from "../engine/errors.ts";
import { isAlive } from "../engine/process/proc.ts";
import type { ProjectPaths } from "./project.ts";

/** What the engine writes into a lock of the file backend. */
const lockContent = z.object({ pid: z.int(), hostname: z.string() });

async function locksOf({ backend }: ProjectPaths, stack: string): Promise<string[]> {
  const folder = join(backend, ".pulumi", "locks", "organization", "understudy", stack);
  const names = await readdir(folder).catch((): string[] => []);
  return names.filter((name) => name.endsWith(".json")).map((name) => join(folder, name));
}

/**
 * Removes locks whose process is gone (killed, or the machine restarted). Waits for a live one to end:
 * an engine whose command was killed ends by itself within seconds.
 * @throws UnderstudyError (exit 3) when another operation still runs after `patienceMs`.
 */
export async function clearStaleLocks(paths: ProjectPaths, stack: string, patienceMs = 15_000): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const holders = await Promise.all((await locksOf(paths, stack)).map(dropIfStale));
    const alive = holders.find((holder) => holder !== undefined);
    if (alive === undefined) return;
    if (Date.now() > deadline) {
      throw new UnderstudyError(`Another operation on stack ${stack} is running (process ${alive}).`, {
        exitCode: exitCode.provisioning,
        remedy: "Wait for it to end, or stop it.",
      });
    }
    await sleep(200);
  }
}

/** @returns the process that holds the lock, or `undefined` when it is free now. */
async function dropIfStale(path: string): Promise<number | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const content = lockContent.safeParse(safeJson(text));
  const live = content.success && content.data.hostname === hostname() && isAlive(content.data.pid);
  if (live) return content.data.pid;
  if (content.success && content.data.hostname !== hostname()) return content.data.pid;
  await rm(path, { force: true });
  return undefined;
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
