import { failed, passed, Pointless } from "../board.ts";
import type { CheckDefinition, Outcome } from "../board.ts";
import { migrate } from "../context.ts";
import type { Migrated, RehearsalContext } from "../context.ts";
import { describeRefusal } from "../run/apply.ts";
import { manualName } from "../run/locks.ts";
import { retryableStates } from "../run/retry.ts";
import { openSession } from "../run/session.ts";
import type { Snapshot } from "../state/snapshot.ts";
import type { Cycle } from "./cycle.ts";
import { foreignSettings, sameAsAfterUp, sameAsBefore, sessionSettings, setDefaults, settingsOutcome, settingsRefused } from "./sessionSettings.ts";
import type { Stage, StageState } from "./stage.ts";

const lockTimeout: CheckDefinition = {
  id: "performance.lock-timeout",
  title: "Behind a long reader, the migration gives up in time and tries again",
  remedy: "Set lock_timeout (some hundred milliseconds) at the top of the file, and run it by a tool that retries: whoever waits for a strong lock makes everybody else wait behind it.",
};

type Settle = (id: string, outcome: Outcome) => void;

/**
 * A transaction has read every filled table and stays open, as a report or a backup would. The migration must not wait for
 * it longer than the bound at once; after its first retry the reader goes, and the migration must get through.
 * The same run is made under a foreign time zone and date style, and the way back under yet others, for a run of up costs:
 * what it leaves must be what the main course left.
 */
export async function runLongReader(context: RehearsalContext, cycle: Cycle, stage: Stage): Promise<void> {
  await context.board.group([lockTimeout, sessionSettings], async (settle) => {
    const { before, afterUp } = cycle;
    if (before === undefined || afterUp === undefined) throw new Pointless("Needs logic.up-applies, which failed.");
    let settingsAtFault = false;
    await stage.use("before", async (clone) => {
      await setDefaults(context, clone, foreignSettings.up);
      const behind = await runBehindReader(context, clone, before);
      await setDefaults(context, clone, undefined);
      settingsAtFault = !behind.run.succeeded && !retryableStates.some((state) => state === behind.run.refusal?.state);
      if (settingsAtFault) settle(sessionSettings.id, settingsRefused(behind.run));
      else settle(lockTimeout.id, verdictOf(context, behind));
      if (!behind.run.succeeded) return "unknown";
      return settleSettings(context, clone, cycle, settle);
    });
    if (!settingsAtFault) return;
    await stage.use("before", async (clone) => {
      const behind = await runBehindReader(context, clone, before);
      settle(lockTimeout.id, verdictOf(context, behind));
      return behind.run.succeeded ? "after" : "unknown";
    });
  }, { signal: context.signal });
}

/** After up under foreign settings: compares, and goes back under others where down was seen to restore everything. */
async function settleSettings(context: RehearsalContext, clone: string, cycle: Cycle, settle: Settle): Promise<StageState> {
  const up = await sameAsAfterUp(context, clone, cycle);
  if (up.length > 0 || !cycle.restores || !context.board.wants(sessionSettings.id)) {
    settle(sessionSettings.id, settingsOutcome(up, undefined));
    return up.length === 0 ? "after" : "unknown";
  }
  await setDefaults(context, clone, foreignSettings.down);
  const back = await migrate(context, clone, "down");
  await setDefaults(context, clone, undefined);
  const down = back.succeeded ? await sameAsBefore(context, clone, cycle) : [describeRefusal(back.refusal)];
  settle(sessionSettings.id, settingsOutcome(up, down));
  return down.length === 0 ? "before" : "unknown";
}

interface BehindReader {
  readonly run: Migrated;
  readonly retries: number;
  /** The lock that it waited for beyond the bound. */
  readonly overdue: string | undefined;
}

async function runBehindReader(context: RehearsalContext, clone: string, before: Snapshot): Promise<BehindReader> {
  const { lockWaitMs } = context.document.bounds;
  const reader = await openSession(context.clones.settings(clone, "admin"), "understudy long reader");
  let watch: NodeJS.Timeout | undefined;
  try {
    await reader.query("BEGIN");
    for (const { name } of before.tables) await reader.query(`SELECT FROM ${name} LIMIT 1`);
    let retries = 0;
    let waitingSince: number | undefined;
    let overdue: string | undefined;
    const release = (): void => void reader.end().catch(() => {});
    const run = await migrate(context, clone, "up", {
      trace: true,
      onRetry: () => {
        retries += 1;
        waitingSince = undefined;
        release();
      },
      onStart: ({ pids, sampler }) => {
        watch = setInterval(() => {
          const waiting = sampler?.waitingNow.find((row) => pids().includes(row.pid));
          if (waiting === undefined) waitingSince = undefined;
          else if (performance.now() - (waitingSince ??= performance.now()) > lockWaitMs && overdue === undefined) {
            overdue = `${manualName(waiting.mode)}${waiting.relation === null ? "" : ` on ${waiting.relation}`}`;
            release();
          }
        }, 20);
      },
    });
    return { run, retries, overdue };
  } finally {
    clearInterval(watch);
    await reader.end().catch(() => {});
  }
}

function verdictOf({ document }: RehearsalContext, { run, retries, overdue }: BehindReader): Outcome {
  if (overdue !== undefined) return failed(`Waited more than ${document.bounds.lockWaitMs} ms for ${overdue}, and would have gone on: no lock_timeout ends it.`);
  if (!run.succeeded) return failed(`After ${retries} retries: ${describeRefusal(run.refusal)}`);
  if (retries === 0) return passed("It needs no lock that a reader keeps from it.");
  const waitedMs = (run.samples?.waits ?? []).filter(({ isMigration }) => isMigration).reduce((most, { fromMs, toMs }) => Math.max(most, toMs - fromMs), 0);
  return passed(`Gave up after ${Math.round(waitedMs)} ms at most, tried again ${retries} times, then got through.`);
}
