import type { Client } from "pg";
import type { ConnectionSettings } from "../../postgres/connection.ts";
import { openConnection } from "../../postgres/session.ts";

/**
 * Connects with the server's own defaults for every setting, as the tool that ships the migration would:
 * `withSession` sets a lock timeout, which must come from the migration here.
 */
export function openSession(settings: ConnectionSettings, applicationName: string): Promise<Client> {
  return openConnection(settings, { applicationName });
}

/** Pins what decides how a value is written as text, so that checksums compare. */
export const canonicalOutput = `
  SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'iso_8601'; SET bytea_output = 'hex';
  SET extra_float_digits = 1; SET xmlbinary = 'base64'; SET search_path = pg_catalog; SET lc_monetary = 'C'`;

/** The server process behind a session. */
export async function backendOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return rows[0]?.pid ?? 0;
}
