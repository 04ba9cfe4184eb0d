import type { Client } from "pg";
import { exitCode, UnderstudyError } from "../errors.ts";
import { displayUrl } from "../postgres/connection.ts";
import type { ConnectionSettings } from "../postgres/connection.ts";
import { hasSqlState, withSession } from "../postgres/session.ts";

/** The row that says "this database is staging, and belongs to this stack". */
export interface Marker {
  readonly stack: string;
  readonly createdAt: Date;
}

/** The marker of the connected database, or undefined when it has none: then it is not staging's, whatever its name. */
export async function markerOf(client: Client): Promise<Marker | undefined> {
  const present = await client.query("SELECT WHERE to_regclass('staging_logs.marker') IS NOT NULL");
  if (present.rowCount === 0) return undefined;
  const { rows } = await client.query<{ stack: string; created_at: Date }>(
    "SELECT stack, created_at FROM staging_logs.marker WHERE environment = 'staging'",
  );
  const [row] = rows;
  return row === undefined ? undefined : { stack: row.stack, createdAt: row.created_at };
}

/**
 * The marker of a database, or undefined when it has none or its table may not be read by this role.
 * @throws UnderstudyError (exit 3) when the database cannot be reached.
 */
export async function readMarker(settings: ConnectionSettings, signal?: AbortSignal): Promise<Marker | undefined> {
  const options = { applicationName: "understudy marker", readOnly: true, statementTimeoutMs: 10_000, signal };
  return withSession(settings, options, markerOf).catch((error: unknown) => {
    if (hasSqlState(error, "42501")) return undefined;
    throw error;
  });
}

/**
 * Refuses to go on unless the database holds staging's marker, and `stack`'s when one is given.
 * To be called before anything is written, dropped or switched.
 * @throws UnderstudyError exit 4 when the marker is missing (a safety check failed),
 *   exit 2 when it is another stack's (the configuration points to the wrong server).
 */
export async function assertStaging(settings: ConnectionSettings, stack?: string, signal?: AbortSignal): Promise<Marker> {
  return requireMarker(await readMarker(settings, signal), settings, stack);
}

/** As {@link assertStaging}, for a marker already read. */
export function requireMarker(marker: Marker | undefined, settings: ConnectionSettings, stack?: string): Marker {
  if (marker === undefined) {
    throw new UnderstudyError(`${displayUrl(settings)} has no staging marker (staging_logs.marker): it is not written to.`, {
      exitCode: exitCode.checkFailed,
      remedy: "Point to a database made by `understudy up`; never mark production by hand.",
    });
  }
  if (stack !== undefined && marker.stack !== stack) {
    throw new UnderstudyError(
      `${displayUrl(settings)} belongs to stack "${marker.stack}", not to "${stack}": it is not written to.`,
      { exitCode: exitCode.usage, remedy: "Check the stack's name and its database port." },
    );
  }
  return marker;
}
