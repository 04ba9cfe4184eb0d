import { messageOf } from "../errors.ts";
import { backupDatabase } from "./backup.ts";
import { listBackups, pruneBackups } from "./prune.ts";
import type { StagingDatabase } from "../staging/database.ts";

export interface BackupSchedule {
  readonly staging: StagingDatabase;
  readonly stack: string;
  readonly folder: string;
  readonly intervalMs: number;
  readonly keepHours: number;
  /** After a failure it is tried again that soon. Default one minute. */
  readonly retryMs?: number;
  /** One line for the log. */
  readonly log: (line: string) => void;
}

export interface ScheduleState {
  /** The newest backup there is. */
  readonly lastSuccess: Date | undefined;
  /** Why the last try failed; undefined: it did not. */
  readonly problem: string | undefined;
}

const retryAfterMs = 60_000;

/**
 * Backs up whenever the newest backup is older than the interval, counted from the backup and not from the start: a restart
 * neither skips one nor makes one too many.
 * @param signal ends it; what is under way is given up and leaves nothing.
 */
export function startSchedule(schedule: BackupSchedule, signal: AbortSignal): { state(): Promise<ScheduleState> } {
  const { staging, stack, folder, intervalMs, keepHours, retryMs = retryAfterMs, log } = schedule;
  let problem: string | undefined;
  const lastSuccess = async () => (await listBackups(folder, stack))[0]?.at;

  const makeOne = async () => {
    try {
      const { file, sizeBytes, durationMs } = await backupDatabase({ staging, stack, folder, signal });
      const { removed } = await pruneBackups({ folder, stack, keepHours, keepAtLeast: 1 });
      problem = undefined;
      log(`made ${file}, ${sizeBytes} bytes in ${Math.round(durationMs)} ms; removed ${removed.length} older than ${keepHours} h`);
    } catch (error) {
      problem = messageOf(error);
      if (!signal.aborted) log(`failed: ${problem}`);
    }
  };
  const run = async () => {
    while (!signal.aborted) {
      const last = await lastSuccess();
      const dueInMs = last === undefined ? 0 : last.getTime() + intervalMs - Date.now();
      if (dueInMs <= 0) await makeOne();
      await pause(problem !== undefined ? retryMs : Math.max(1_000, dueInMs), signal);
    }
  };
  run().catch((error: unknown) => {
    problem = messageOf(error);
    log(`stopped: ${problem}`);
  });
  return { state: async () => ({ lastSuccess: await lastSuccess(), problem }) };
}

/** The longest that a timer can wait, about 24 days, is longer than any interval. */
function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}
