import type { Client } from "pg";
import { exitCode, UnderstudyError } from "../errors.ts";
import { displayUrl } from "../postgres/connection.ts";
import type { ConnectionSettings } from "../postgres/connection.ts";

/** Which database of which server, told from inside. */
export interface DatabaseIdentity {
  readonly by: "system identifier" | "start time of the server";
  readonly server: string;
  readonly startedAt: string;
  readonly database: string;
}

/**
 * A server's identity: the system identifier, which a physical copy shares. A role that may not read it
 * is answered with the server's start time, to the microsecond, which tells any two running servers apart.
 */
export async function identityOf(client: Client): Promise<DatabaseIdentity> {
  const { rows } = await client.query<{ started: string; database: string; may: boolean }>(
    `SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint::text AS started, current_database()::text AS database,
            has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS may`,
  );
  const { started = "", database = "", may = false } = rows[0] ?? {};
  if (!may) return { by: "start time of the server", server: started, startedAt: started, database };
  const control = await client.query<{ id: string }>("SELECT system_identifier::text AS id FROM pg_control_system()");
  return { by: "system identifier", server: control.rows[0]?.id ?? "", startedAt: started, database };
}

/**
 * Refuses a target that is the source, or that the copy would drop together with it.
 * @param written names of the target's databases that the copy makes, drops or renames
 * @throws UnderstudyError (exit 4).
 */
export function refuseSameDatabase(source: DatabaseIdentity, target: DatabaseIdentity, written: readonly string[]): void {
  const sameServer =
    source.by === target.by ? source.server === target.server : source.startedAt === target.startedAt;
  if (!sameServer || !written.includes(source.database)) return;
  throw new UnderstudyError(`The source and the target are one and the same database (${source.database}, by ${source.by}).`, {
    exitCode: exitCode.checkFailed,
    remedy: "Point the source to production and the target to staging.",
  });
}

const writersSql = `
  WITH me AS (SELECT * FROM pg_roles WHERE rolname = current_user)
  SELECT 'is a superuser' AS reason FROM me WHERE rolsuper
  UNION ALL SELECT 'may create roles' FROM me WHERE rolcreaterole
  UNION ALL SELECT 'may create databases' FROM me WHERE rolcreatedb
  UNION ALL SELECT 'owns the database' FROM pg_database, me WHERE datname = current_database() AND pg_has_role(me.oid, datdba, 'USAGE')
  UNION ALL
  (SELECT format('may write to %s table(s), such as %s', count(*), min(format('%I.%I', n.nspname, c.relname)))
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
      AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') OR has_any_column_privilege(c.oid, 'INSERT, UPDATE'))
   HAVING count(*) > 0)`;

/** Why the session's role could write, in words; empty when it cannot. */
export async function writePowers(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ reason: string }>(writersSql);
  return rows.map(({ reason }) => reason);
}

/**
 * Refuses a source's role that could write, whatever the session's settings.
 * @throws UnderstudyError (exit 2).
 */
export function refuseWriter(powers: readonly string[], source: ConnectionSettings, allowed: boolean): void {
  if (powers.length === 0 || allowed) return;
  throw new UnderstudyError(`The source's role ${displayUrl(source)} could write there: it ${powers.join(", ")}.`, {
    exitCode: exitCode.usage,
    remedy: "Use a role that may only SELECT, or allow this one by name (allowWritableSource).",
  });
}
