import type { Client } from "pg";

/** The role that a standby streams with; it may do nothing else. */
export const replicationRole = "staging_replication";

/** The slot at which the primary keeps its log for the read replica. */
export const replicaSlot = "database_replica";

/** What a standby says of itself. */
export interface StandbyState {
  /** False once it was promoted: then it takes writes of its own. */
  readonly inRecovery: boolean;
  /** Whether it receives from its primary at this moment. */
  readonly streaming: boolean;
  /** Where it has got to, as PostgreSQL writes positions of its log: `0/3000148`. */
  readonly replayed: string | undefined;
  /** Bytes of log that the primary has told of and that are not replayed; undefined while nothing was received. */
  readonly lagBytes: number | undefined;
}

/** Asks a standby (or what was one) how it is. Needs `pg_monitor`. */
export async function readStandby(client: Client): Promise<StandbyState> {
  const { rows } = await client.query<{ recovering: boolean; streaming: boolean; replayed: string | null; lag: string | null }>(`
    SELECT pg_is_in_recovery() AS recovering,
           coalesce((SELECT r.status = 'streaming' FROM pg_stat_wal_receiver r), false) AS streaming,
           CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text END AS replayed,
           CASE WHEN pg_is_in_recovery() THEN
             (SELECT greatest(0, pg_wal_lsn_diff(r.latest_end_lsn, pg_last_wal_replay_lsn()))::text FROM pg_stat_wal_receiver r) END AS lag`);
  const [row] = rows;
  if (row === undefined) throw new Error("the standby says nothing of itself");
  return {
    inRecovery: row.recovering,
    streaming: row.streaming,
    replayed: row.replayed ?? undefined,
    lagBytes: row.lag === null ? undefined : Number(row.lag),
  };
}

/** Why a standby is not one that can be read from; undefined: it is. */
export function standbyProblem({ inRecovery, streaming, lagBytes }: StandbyState, maxLagBytes: number): string | undefined {
  if (!inRecovery) return "it was promoted and takes writes of its own";
  if (!streaming || lagBytes === undefined) return "it receives nothing from its primary";
  return lagBytes > maxLagBytes ? `it is ${lagBytes} bytes behind its primary, more than ${maxLagBytes}` : undefined;
}

/** What a transaction on a standby is told that asks to write. */
const readOnlyRefusals = ["25006", "0A000"];

/**
 * Tries to write, as far as a session can ask for it.
 * @returns whether the server refused, as a standby must.
 */
export async function refusesWrites(client: Client): Promise<boolean> {
  try {
    await client.query("BEGIN");
    await client.query("SET TRANSACTION READ WRITE");
    // A number of its own is what every write begins with, and needs no privilege.
    await client.query("SELECT pg_current_xact_id()");
    return false;
  } catch (error) {
    if (error instanceof Error && "code" in error && readOnlyRefusals.includes(String(error.code))) return true;
    throw error;
  } finally {
    await client.query("ROLLBACK");
  }
}

/** The slot at which a primary keeps its log for one standby. */
export interface SlotState {
  readonly active: boolean;
  /** The primary no longer has what the standby needs: only a new one helps. */
  readonly lost: boolean;
}

/** The state of a physical slot on the primary; undefined: there is none. */
export async function readSlot(client: Client, slot: string): Promise<SlotState | undefined> {
  const { rows } = await client.query<SlotState>(
    "SELECT active, coalesce(wal_status = 'lost', false) AS lost FROM pg_replication_slots WHERE slot_name = $1 AND slot_type = 'physical'",
    [slot],
  );
  return rows[0];
}

/** Makes a slot that keeps the log from now on, unless a good one is there. @returns whether it was made now. */
export async function ensureSlot(client: Client, slot: string): Promise<boolean> {
  const found = await readSlot(client, slot);
  if (found !== undefined && !found.lost) return false;
  if (found !== undefined) await dropSlot(client, slot);
  await client.query("SELECT pg_create_physical_replication_slot($1, true)", [slot]);
  return true;
}

const slotPatienceMs = 5_000;

/** Drops a slot, whoever streams from it. A slot that nobody reads would keep the log for ever. */
export async function dropSlot(client: Client, slot: string): Promise<void> {
  const deadline = Date.now() + slotPatienceMs;
  for (;;) {
    await client.query("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1 AND active", [slot]);
    try {
      await client.query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", [slot]);
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
