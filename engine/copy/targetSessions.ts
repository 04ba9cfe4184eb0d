import type { Client } from "pg";
import type { ConnectionSettings } from "../postgres/connection.ts";
import { withSession } from "../postgres/session.ts";

/**
 * Values look as in a source session, whatever the database's own settings are; nothing waits for the disk, which the switch
 * of the databases does for all of it.
 */
const settingsSql = `
  SET synchronous_commit = off; SET search_path = pg_catalog, public; SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET lc_monetary = 'C';
  SET extra_float_digits = 1; SET bytea_output = 'hex'; SET row_security = off; SET jit = off`;

/** Runs `use` with so many sessions on the database that is being filled. */
export async function withTargetSessions<Result>(
  settings: ConnectionSettings,
  count: number,
  signal: AbortSignal | undefined,
  use: (clients: readonly Client[]) => Promise<Result>,
): Promise<Result> {
  const open = (clients: readonly Client[]): Promise<Result> => {
    if (clients.length === count) return use(clients);
    return withSession(settings, { applicationName: "understudy copy", signal }, async (client) => {
      await client.query(settingsSql);
      return open([...clients, client]);
    });
  };
  return open([]);
}
