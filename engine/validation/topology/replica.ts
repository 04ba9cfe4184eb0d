import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { readSlot, readStandby, refusesWrites, replicaSlot, type StandbyState } from "../../postgres/replication.ts";
import { withSession } from "../../postgres/session.ts";
import { replicaConnectionsOf, type StagingRole } from "../../staging/database.ts";
import type { CheckContext, ValidationCheck } from "../check.ts";
import { failed, passed, verdict } from "../outcome.ts";

async function onReplica<Result>({ target, signal }: CheckContext, role: StagingRole, use: (client: Client) => Promise<Result>): Promise<Result> {
  const [settings] = replicaConnectionsOf(target.staging, role);
  if (settings === undefined) throw new Error("this stack has no replica");
  return withSession(settings, { applicationName: "understudy validation", statementTimeoutMs: 10_000, connectTimeoutMs: 3_000, signal }, use);
}

const remedy = "See understudy logs database-replica; understudy up mends it, or makes it anew from the primary.";

/** Where the primary's log is now. */
async function primaryPosition({ session }: CheckContext): Promise<string> {
  const { rows } = await session("admin", (client) => client.query<{ position: string }>("SELECT pg_current_wal_lsn()::text AS position"));
  return rows[0]?.position ?? "";
}

/** @returns how long it took the replica to replay up to a position; undefined: longer than `boundMs`. */
async function replayTime(client: Client, position: string, boundMs: number): Promise<number | undefined> {
  const startedAt = performance.now();
  do {
    const { rows } = await client.query<{ replayed: boolean }>("SELECT coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) AS replayed", [position]);
    if (rows[0]?.replayed === true) return performance.now() - startedAt;
    await sleep(10);
  } while (performance.now() - startedAt < boundMs);
  return undefined;
}

export const replicaFollows: ValidationCheck = {
  id: "infrastructure.replica-lag",
  category: "infrastructure",
  title: "The read replica follows the primary without delay",
  severity: "error",
  quick: true,
  timeoutMs: 20_000,
  eventualMs: 5_000,
  run: async (context) => {
    const boundMs = context.requirements.topology.replicaLagMs;
    const position = await primaryPosition(context);
    const slot = await context.session("admin", (client) => readSlot(client, replicaSlot));
    return onReplica(context, "admin", async (client) => {
      const before: StandbyState = await readStandby(client);
      if (!before.inRecovery) return failed("it was promoted: it takes writes of its own and follows nobody", remedy);
      const replayMs = await replayTime(client, position, boundMs);
      const state = await readStandby(client);
      const problems = [
        ...(state.streaming ? [] : ["it receives nothing from its primary"]),
        ...(slot?.active === true ? [] : ["the primary's slot for it is not in use"]),
        ...(replayMs === undefined ? [`after ${boundMs} ms it has not replayed what the primary had written before (${state.replayed} of ${position})`] : []),
      ];
      return verdict(problems, {
        count: 1,
        evidence: `replayed up to ${position} within ${Math.round(replayMs ?? 0)} ms, ${state.lagBytes ?? 0} bytes behind; bound ${boundMs} ms`,
        remedy,
        details: { replayMs: replayMs === undefined ? null : Math.round(replayMs), lagBytes: state.lagBytes ?? null, boundMs },
      });
    });
  },
};

export const replicaReadOnly: ValidationCheck = {
  id: "infrastructure.replica-read-only",
  category: "infrastructure",
  title: "The read replica refuses writes to everybody",
  severity: "error",
  quick: true,
  run: async (context) => {
    const roles = ["admin", "owner", "app"] as const;
    const written: string[] = [];
    for (const role of roles) if (!(await onReplica(context, role, refusesWrites))) written.push(role);
    if (written.length > 0) return failed(`it takes writes of ${written.join(", ")}`, remedy);
    const answers = await onReplica(context, "app", (client) => client.query("SELECT count(*) FROM pg_class"));
    return passed(`${roles.join(", ")}: each refused by the server; reads are answered (${answers.rowCount} row)`);
  },
};
