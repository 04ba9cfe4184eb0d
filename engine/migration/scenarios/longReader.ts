import { failed, passed, Pointless } from "../board.ts";
import type { CheckDefinition } from "../board.ts";
import { migrate } from "../context.ts";
import type { RehearsalContext } from "../context.ts";
import { describeRefusal } from "../run/apply.ts";
import { manualName } from "../run/locks.ts";
import { openSession } from "../run/session.ts";
import type { Cycle } from "./cycle.ts";
import type { Stage } from "./stage.ts";

const lockTimeout: CheckDefinition = {
  id: "performance.lock-timeout",
  title: "Behind a long reader, the migration gives up in time and tries again",
  remedy: "Set lock_timeout (some hundred milliseconds) at the top of the file, and run it by a tool that retries: whoever waits for a strong lock makes everybody else wait behind it.",
};

/**
 * A transaction has read every filled table and stays open, as a report or a backup would. The migration must not wait for
 * it longer than the bound at once; after its first retry the reader goes, and the migration must get through.
 */
export async function runLongReader(context: RehearsalContext, cycle: Cycle, stage: Stage): Promise<void> {
  const { lockWaitMs } = context.document.bounds;
  await context.board.group([lockTimeout], async (settle) => {
    const { before, afterUp } = cycle;
    if (before === undefined || afterUp === undefined) throw new Pointless("Needs logic.up-applies, which failed.");
    await stage.use("before", async (clone) => {
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
          onStart: ({ pid, sampler }) => {
            watch = setInterval(() => {
              const waiting = sampler?.waitingNow.find((row) => row.pid === pid);
              if (waiting === undefined) waitingSince = undefined;
              else if (performance.now() - (waitingSince ??= performance.now()) > lockWaitMs && overdue === undefined) {
                overdue = `${manualName(waiting.mode)}${waiting.relation === null ? "" : ` on ${waiting.relation}`}`;
                release();
              }
            }, 20);
          },
        });
        const waitedMs = (run.samples?.waits ?? []).filter(({ isMigration }) => isMigration).reduce((most, { fromMs, toMs }) => Math.max(most, toMs - fromMs), 0);
        if (overdue !== undefined) settle(lockTimeout.id, failed(`Waited more than ${lockWaitMs} ms for ${overdue}, and would have gone on: no lock_timeout ends it.`));
        else if (!run.succeeded) settle(lockTimeout.id, failed(`After ${retries} retries: ${describeRefusal(run.refusal)}`));
        else if (retries > 0) settle(lockTimeout.id, passed(`Gave up after ${Math.round(waitedMs)} ms at most, tried again ${retries} times, then got through.`));
        else settle(lockTimeout.id, passed("It needs no lock that a reader keeps from it."));
        return run.succeeded ? "after" : "unknown";
      } finally {
        clearInterval(watch);
        await reader.end().catch(() => {});
      }
    });
  }, { signal: context.signal });
}
