import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { displayUrl } from "../postgres/connection.ts";
import { readStandby, refusesWrites } from "../postgres/replication.ts";
import { withSession } from "../postgres/session.ts";
import { silent, type OnProgress } from "../progress.ts";
import { connectionOf, replicaConnectionsOf, type StagingDatabase } from "./database.ts";
import { logInitEvent } from "./fitOut.ts";
import { markerOf, requireMarker } from "./marker.ts";

export interface PromoteReplica {
  readonly staging: StagingDatabase;
  readonly stack: string;
  /** For all of it. Default 30,000. */
  readonly timeoutMs?: number;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

export interface Promotion {
  /** `host:port` of the server that now takes writes. */
  readonly server: string;
  /** Up to where it had replayed when it was promoted. */
  readonly position: string;
  readonly timeline: number;
  /** Whether the primary answered, and so nothing that it had committed before is missing. */
  readonly caughtUp: boolean;
  readonly durationMs: number;
}

const defaultTimeoutMs = 30_000;

/**
 * Makes the read replica a server of its own. It first replays all that the primary has committed, if the primary answers, else all
 * that it has received; afterwards a write proves that it takes them. The primary is left as it is.
 * @throws UnderstudyError exit 2 without a replica or when it was promoted before, exit 3 when it does not answer or cannot catch up
 *   in time (nothing is promoted then), exit 4 when it is not staging's.
 */
export async function promoteReplica(options: PromoteReplica): Promise<Promotion> {
  const { staging, stack, timeoutMs = defaultTimeoutMs, onProgress = silent, signal } = options;
  const startedAt = performance.now();
  const deadline = startedAt + timeoutMs;
  const [replica] = replicaConnectionsOf(staging, "admin");
  if (replica === undefined) {
    throw new UnderstudyError(`Stack ${stack} has no read replica.`, { exitCode: exitCode.usage, remedy: `Make one with: understudy up --stack ${stack} --set database.replicas=1` });
  }
  const session = { applicationName: "understudy promote", statementTimeoutMs: timeoutMs + 5_000, signal };
  const committed = await withSession(connectionOf(staging, "admin"), { ...session, connectTimeoutMs: 2_000 }, positionOf).catch((error: unknown) => {
    if (signal?.aborted === true) throw error;
    onProgress({ step: "promote", message: `the primary does not answer (${messageOf(error)}): what the replica has received counts` });
    return undefined;
  });

  return withSession(replica, session, async (client) => {
    requireMarker(await markerOf(client), replica, stack);
    if (!(await readStandby(client)).inRecovery) {
      throw new UnderstudyError(`The replica at ${displayUrl(replica)} was promoted before.`, { exitCode: exitCode.usage, remedy: `Make it a replica again with: understudy up --stack ${stack}` });
    }
    const position = await replayUpTo(client, committed, deadline);
    onProgress({ step: "promote", message: `replayed up to ${position}` });
    const { rows } = await client.query<{ promoted: boolean }>("SELECT pg_promote(true, $1) AS promoted", [Math.max(1, Math.ceil((deadline - performance.now()) / 1_000))]);
    if (rows[0]?.promoted !== true || (await readStandby(client)).inRecovery || (await refusesWrites(client))) {
      throw new UnderstudyError(`The replica did not become a server of its own within ${Math.round(timeoutMs / 1_000)} s.`, {
        exitCode: exitCode.provisioning,
        remedy: "See understudy logs database-replica; understudy up makes it a replica again.",
      });
    }
    await logInitEvent(client, "replica promoted", { stack, position });
    return {
      server: `${replica.host}:${replica.port}`,
      position,
      timeline: await timelineOf(client),
      caughtUp: committed !== undefined,
      durationMs: Math.round(performance.now() - startedAt),
    };
  });
}

async function positionOf(client: Client): Promise<string> {
  const { rows } = await client.query<{ position: string }>("SELECT pg_current_wal_lsn()::text AS position");
  return rows[0]?.position ?? "0/0";
}

/** Waits until a position is replayed, without one all that was received. @returns up to where it is. */
async function replayUpTo(client: Client, position: string | undefined, deadline: number): Promise<string> {
  for (;;) {
    const { rows } = await client.query<{ replayed: string; there: boolean }>(
      `SELECT pg_last_wal_replay_lsn()::text AS replayed,
              pg_last_wal_replay_lsn() >= coalesce($1::pg_lsn, pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) AS there`,
      [position ?? null],
    );
    const [row] = rows;
    if (row?.there === true) return row.replayed;
    if (performance.now() > deadline) {
      throw new UnderstudyError(`The replica has replayed up to ${row?.replayed} only, not up to ${position ?? "what it received"}: nothing was promoted.`, {
        exitCode: exitCode.provisioning,
        remedy: "See understudy logs database-replica, or give it more time with --timeout.",
      });
    }
    await sleep(20);
  }
}

/** The first eight digits of a log file's name. */
async function timelineOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ file: string }>("SELECT pg_walfile_name(pg_current_wal_lsn()) AS file");
  return Number.parseInt(rows[0]?.file.slice(0, 8) ?? "0", 16);
}
