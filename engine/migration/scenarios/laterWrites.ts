import { setTimeout as sleep } from "node:timers/promises";
import { noneOf, Pointless, skipped } from "../board.ts";
import type { CheckDefinition } from "../board.ts";
import { migrate, withRole } from "../context.ts";
import type { RehearsalContext } from "../context.ts";
import { describeRefusal } from "../run/apply.ts";
import { namedRelations } from "../source/scope.ts";
import { stagingRoles } from "../../staging/database.ts";
import { trafficQueries } from "../traffic/queries.ts";
import { Traffic } from "../traffic/traffic.ts";
import type { Cycle } from "./cycle.ts";
import type { Stage } from "./stage.ts";

const writesMs = 200;
const mostPauseMs = 40;

const laterWrites: CheckDefinition = {
  id: "rollback.later-writes",
  title: "What was written after the migration survives its rollback",
  remedy: "Turn back row by row what the migration noted down as its own; never swap in a copy of the table that up put aside.",
};

/** The workload's writers after up and on through down; every write that was acknowledged must be there afterwards. */
export async function runLaterWrites(context: RehearsalContext, cycle: Cycle, stage: Stage): Promise<void> {
  await context.board.group([laterWrites], async (settle) => {
    const { down } = context.migration;
    const { afterUp } = cycle;
    if (afterUp === undefined) throw new Pointless("Needs logic.up-applies, which failed.");
    if (down === undefined || cycle.down?.succeeded !== true) throw new Pointless("Needs rollback.down-applies, which failed.");
    if ((context.document.traffic?.writers ?? []).length === 0) return settle(laterWrites.id, skipped("The workload declares no writers whose writes can be read back (`traffic.writers` in its expectations)."));
    await stage.use("after", async (clone) => {
      const queries = await withRole(context, clone, "owner", (owner) => trafficQueries(owner, context.document, afterUp.tables, namedRelations(down), stagingRoles.app));
      const traffic = await Traffic.start({ settings: context.clones.settings(clone, "app"), queries });
      try {
        await sleep(writesMs);
        const pauseMs = Math.min(mostPauseMs, 1_000 / down.statements.length);
        const back = await migrate(context, clone, "down", { beforeStatement: () => sleep(pauseMs) });
        await traffic.stop();
        const journal = await withRole(context, clone, "owner", (owner) => traffic.journal.verify(owner));
        if (!back.succeeded) throw new Error(`while the application wrote, down was refused: ${describeRefusal(back.refusal)}`);
        if (journal.acknowledged === 0) throw new Error("no write was acknowledged, so nothing was shown");
        settle(laterWrites.id, noneOf([...journal.lost, ...journal.unreadable], `${journal.acknowledged} acknowledged writes on ${journal.verifiedKeys} keys after up and during down, all there.`));
        return "unknown";
      } finally {
        await traffic.stop();
      }
    });
  }, { signal: context.signal });
}
