import type { Client } from "pg";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { displayUrl } from "../postgres/connection.ts";
import type { ConnectionSettings } from "../postgres/connection.ts";
import { withSession } from "../postgres/session.ts";
import { isWatched } from "./sourceBounds.ts";
import type { SourceBounds } from "./sourceBounds.ts";

const everyMs = 500;
/** One reading may be a moment's; so many in a row are not. */
const readingsToStop = 2;

const stateSql = `
  SELECT CASE
           WHEN NOT pg_is_in_recovery() THEN (SELECT max(extract(epoch FROM replay_lag)) FROM pg_stat_replication)
           WHEN pg_last_wal_receive_lsn() IS DISTINCT FROM pg_last_wal_replay_lsn() THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
         END::float8 AS "lagSeconds",
         (SELECT count(*)::int FROM pg_stat_activity
           WHERE backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid() AND application_name NOT LIKE 'understudy%') AS active,
         pg_is_in_recovery() AS standby, pg_has_role('pg_read_all_stats', 'USAGE') AS "seesAll"`;

interface SourceState {
  readonly lagSeconds: number | null;
  readonly active: number;
  readonly standby: boolean;
  /** Without, the state of others' sessions and of standbys is hidden. */
  readonly seesAll: boolean;
}

/** What runs under a watch. */
export interface Watched {
  /** Fires when the caller's signal does, or when a bound is passed. */
  readonly signal: AbortSignal | undefined;
  /** The source is let go: from here on its load is no longer ours to heed. */
  leave(): void;
}

/**
 * Runs `use` while a session of its own looks at the source twice a second, where a bound asks for it.
 * @throws UnderstudyError exit 3 when a bound is passed (with both figures), exit 2 when the role cannot see what it would have to.
 */
export async function withSourceWatch<Result>(
  source: ConnectionSettings,
  bounds: SourceBounds,
  signal: AbortSignal | undefined,
  use: (watched: Watched) => Promise<Result>,
): Promise<Result> {
  if (!isWatched(bounds)) return use({ signal, leave: () => {} });
  const session = { applicationName: "understudy watch", readOnly: true, statementTimeoutMs: 10_000, signal };
  return withSession(source, session, async (client) => {
    refuseBlindness(await lookAt(client, source), bounds, source);
    const stop = new AbortController();
    const ended = new AbortController();
    const watching = watch(client, source, bounds, ended.signal).catch((breach: unknown) => stop.abort(breach));
    try {
      return await use({ signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]), leave: () => ended.abort() });
    } catch (error) {
      throw stop.signal.aborted ? stop.signal.reason : error;
    } finally {
      ended.abort();
      await watching;
    }
  });
}

/** Returns when `ended` fires; @throws when a bound is passed. */
async function watch(client: Client, source: ConnectionSettings, bounds: SourceBounds, ended: AbortSignal): Promise<void> {
  let passed = 0;
  while (!ended.aborted) {
    const state = await lookAt(client, source);
    const breaches = breachesOf(state, bounds);
    passed = breaches.length === 0 ? 0 : passed + 1;
    if (passed >= readingsToStop) {
      throw new UnderstudyError(`The copy was stopped for the source's sake: ${breaches.join("; ")}.`, {
        exitCode: exitCode.provisioning,
        remedy: "Staging is as it was. Copy when production is quieter, or from a standby.",
      });
    }
    await pause(everyMs, ended);
  }
}

async function lookAt(client: Client, source: ConnectionSettings): Promise<SourceState> {
  const { rows } = await client.query<SourceState>(stateSql).catch((cause: unknown) => {
    throw new UnderstudyError(`The load of ${displayUrl(source)} cannot be watched any more: ${messageOf(cause)}.`, {
      exitCode: exitCode.provisioning,
      remedy: "Staging is as it was. Run the copy again when the source is well.",
      cause,
    });
  });
  return rows[0] ?? { lagSeconds: null, active: 0, standby: false, seesAll: false };
}

/** A standby knows its own lag; everything else is only for who may read all statistics. */
function refuseBlindness({ seesAll, standby }: SourceState, bounds: SourceBounds, source: ConnectionSettings): void {
  if (seesAll || (standby && bounds.maxActiveSessions === undefined)) return;
  throw new UnderstudyError(`The source's role ${displayUrl(source)} cannot see the load that the copy is to stop at.`, {
    exitCode: exitCode.usage,
    remedy: `GRANT pg_read_all_stats TO it, or leave out maxReplicationLagSeconds and maxActiveSessions.`,
  });
}

function breachesOf({ lagSeconds, active }: SourceState, { maxReplicationLagSeconds, maxActiveSessions }: SourceBounds): string[] {
  const breaches: string[] = [];
  if (maxReplicationLagSeconds !== undefined && lagSeconds !== null && lagSeconds > maxReplicationLagSeconds) {
    breaches.push(`replication is ${lagSeconds.toFixed(1)} s behind, at most ${maxReplicationLagSeconds} s are allowed`);
  }
  if (maxActiveSessions !== undefined && active > maxActiveSessions) {
    breaches.push(`${active} sessions are at work there, at most ${maxActiveSessions} are allowed`);
  }
  return breaches;
}

function pause(ms: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      ended.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    ended.addEventListener("abort", done, { once: true });
  });
}
