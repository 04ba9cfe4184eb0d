import { randomUUID } from "node:crypto";
import { UnderstudyError } from "../errors.ts";
import { withSession } from "../postgres/session.ts";
import { dropSlot, ensureSlot, readSlot, replicationRole } from "../postgres/replication.ts";
import { connectionOf, type StagingDatabase } from "./database.ts";
import { ensureRoles } from "./roles.ts";

export interface Replication {
  readonly staging: StagingDatabase;
  /** Of the role that streams. */
  readonly password: string;
  /** Lower-case letters, digits and underscores. */
  readonly slot: string;
}

const session = { applicationName: "understudy replication", statementTimeoutMs: 20_000 };

/**
 * Brings a primary to where a standby can follow it: the role with its password, and the slot. Idempotent.
 * @param known what an earlier call returned.
 * @returns names what a standby has to be copied from: another one whenever the slot, or the server, is another.
 * @throws UnderstudyError (exit 3) when the server cannot be reached.
 */
export async function ensureReplication({ staging, password, slot }: Replication, known = ""): Promise<string> {
  return withSession(connectionOf(staging, "admin", "postgres"), session, async (client) => {
    await ensureRoles(client, [{ name: replicationRole, password, replication: true }]);
    const isNew = await ensureSlot(client, slot);
    const { rows } = await client.query<{ id: string }>("SELECT system_identifier::text AS id FROM pg_control_system()");
    const server = rows[0]?.id ?? "";
    return !isNew && known.startsWith(`${server}/`) ? known : `${server}/${randomUUID()}`;
  });
}

/** Whether a standby can go on from where it is. A primary that does not answer has lost nothing. */
export async function isReplicationWhole({ staging, slot }: Omit<Replication, "password">): Promise<boolean> {
  try {
    return await withSession(connectionOf(staging, "admin", "postgres"), session, async (client) => {
      const found = await readSlot(client, slot);
      return found !== undefined && !found.lost;
    });
  } catch {
    return true;
  }
}

/** Takes the slot and the role away again; a primary that does not answer goes with both. */
export async function removeReplication({ staging, slot }: Omit<Replication, "password">): Promise<void> {
  await withSession(connectionOf(staging, "admin", "postgres"), { ...session, connectTimeoutMs: 2_000 }, async (client) => {
    await dropSlot(client, slot);
    await client.query(`DROP ROLE IF EXISTS ${replicationRole}`);
  }).catch((error: unknown) => {
    if (!(error instanceof UnderstudyError)) throw error;
  });
}
