import type { Client } from "pg";
import { silent } from "../progress.ts";
import type { OnProgress } from "../progress.ts";
import { quoteIdentifier } from "../postgres/identifier.ts";
import { inTransaction, withSession } from "../postgres/session.ts";
import type { Workload } from "../workload/manifest.ts";
import { connectionOf, stagingRoles } from "./database.ts";
import type { StagingDatabase } from "./database.ts";
import { fitOutDatabase, logInitEvent, runSqlFiles } from "./fitOut.ts";
import { markerOf, requireMarker } from "./marker.ts";
import { claimDatabase, stagingSchemas } from "./privileges.ts";
import { ensureRoles } from "./roles.ts";

export interface PrepareStaging {
  readonly staging: StagingDatabase;
  readonly workload: Workload;
  /** The stack's name, written into the marker. */
  readonly stack: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

export interface PreparedStaging {
  /** What was made or changed, in words; empty when all was there. */
  readonly created: string[];
  /** Tells this server from every other one; compared with the source's before a copy. */
  readonly systemIdentifier: string;
}

/**
 * Brings a staging server, on which at first only the superuser exists, to what the stack needs: roles, database,
 * staging schemas, marker, privileges, and the application's schema when no application table is there yet.
 * Idempotent; the database's contents are made in one transaction, so a kill leaves all of it or none.
 * @throws UnderstudyError exit 3 when the server cannot be reached, exit 4 when the database holds tables and no marker,
 *   exit 2 when it is another stack's, exit 130 when interrupted.
 */
export async function prepareStaging(options: PrepareStaging): Promise<PreparedStaging> {
  const { staging, workload, stack, onProgress = silent, signal } = options;
  const session = { applicationName: "understudy prepare", statementTimeoutMs: 120_000, signal };
  const created: string[] = [];

  const systemIdentifier = await withSession(connectionOf(staging, "admin", "postgres"), session, async (client) => {
    onProgress({ step: "prepare", message: "roles" });
    const roles = await ensureRoles(client, [
      { name: stagingRoles.owner, password: staging.passwords.owner },
      { name: stagingRoles.app, password: staging.passwords.app },
      { name: stagingRoles.readOnly, password: staging.passwords.readOnly, readOnly: true, memberOf: ["pg_monitor"] },
    ]);
    created.push(...roles.map((role) => `role ${role}`));
    if (await ensureDatabase(client, staging.database)) created.push(`database ${staging.database}`);
    await closeMaintenanceDatabases(client);
    const { rows } = await client.query<{ id: string }>("SELECT system_identifier::text AS id FROM pg_control_system()");
    return rows[0]?.id ?? "";
  });

  const settings = connectionOf(staging, "admin");
  await withSession(settings, session, async (client) => {
    onProgress({ step: "prepare", message: `database ${staging.database}` });
    const marker = await markerOf(client);
    const tables = await countTables(client);
    if (marker !== undefined || tables.all > 0) requireMarker(marker, settings, stack);
    await inTransaction(client, async () => {
      await claimDatabase(client, staging.database);
      if (tables.application === 0) {
        await runSqlFiles(client, workload.manifest.database.schema.map((file) => workload.path(file)), stagingRoles.owner);
        created.push(`schema of ${workload.manifest.name}`);
      }
      await fitOutDatabase(client, { workload, stack });
      if (marker === undefined) created.push("staging marker");
      if (created.length > 0) await logInitEvent(client, "prepared", { stack, workload: workload.manifest.name, created });
    });
  });
  onProgress({ step: "prepare", message: created.length === 0 ? "all there" : created.join(", ") });
  return { created, systemIdentifier };
}

/** True when it was made now. */
async function ensureDatabase(client: Client, database: string): Promise<boolean> {
  const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [database]);
  if (rowCount !== 0) return false;
  await client.query(
    `CREATE DATABASE ${quoteIdentifier(database)} OWNER ${stagingRoles.owner} TEMPLATE template0 ENCODING 'UTF8'`,
  );
  return true;
}

/** The server's own databases are nobody's but ours; exporters may look into `postgres`. */
async function closeMaintenanceDatabases(client: Client): Promise<void> {
  await client.query(
    `REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
     GRANT CONNECT ON DATABASE postgres TO ${stagingRoles.readOnly}`,
  );
}

async function countTables(client: Client): Promise<{ all: number; application: number }> {
  const { rows } = await client.query<{ all: number; application: number }>(
    `SELECT count(*)::int AS "all", count(*) FILTER (WHERE n.nspname <> ALL ($1))::int AS application
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')`,
    [stagingSchemas],
  );
  return rows[0] ?? { all: 0, application: 0 };
}
