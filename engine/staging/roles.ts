import type { Client } from "pg";
import { quoteIdentifier, quoteLiteral } from "../postgres/identifier.ts";
import { matchesVerifier, scramVerifier } from "../postgres/scram.ts";
import { inTransaction } from "../postgres/session.ts";

/** What a login role should be. */
export interface LoginRole {
  readonly name: string;
  readonly password: string;
  /** Every transaction starts READ ONLY; default false. */
  readonly readOnly?: boolean;
  /** Roles it is a member of, e.g. `pg_monitor`. */
  readonly memberOf?: readonly string[];
  /** May stream the write-ahead log, and nothing else; default false. */
  readonly replication?: boolean;
}

interface RoleRow {
  readonly rolname: string;
  readonly rolpassword: string | null;
  readonly plain: boolean;
  readonly replication: boolean;
  readonly settings: readonly string[];
  readonly memberOf: readonly string[];
}

const attributes = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS";

/**
 * Creates the roles, or brings them to what they should be; a role that is right is left alone.
 * Runs as a superuser. The password is sent as a SCRAM verifier, and the statement is kept out of the server's log.
 * @returns the names of the roles made or changed.
 */
export async function ensureRoles(client: Client, roles: readonly LoginRole[]): Promise<string[]> {
  const existing = await readRoles(client, roles);
  const changed: string[] = [];
  for (const role of roles) {
    const row = existing.get(role.name);
    if (row !== undefined && isAsWanted(role, row)) continue;
    await inTransaction(client, async () => {
      await client.query(
        "SET LOCAL log_statement = 'none'; SET LOCAL log_min_duration_statement = -1; SET LOCAL log_min_error_statement = 'panic'",
      );
      await client.query(roleSql(role, row));
    });
    changed.push(role.name);
  }
  return changed;
}

function isAsWanted(role: LoginRole, row: RoleRow): boolean {
  const readOnly = row.settings.includes("default_transaction_read_only=on");
  return (
    row.plain &&
    row.replication === (role.replication ?? false) &&
    readOnly === (role.readOnly ?? false) &&
    (role.memberOf ?? []).every((group) => row.memberOf.includes(group)) &&
    matchesVerifier(role.password, row.rolpassword)
  );
}

function roleSql(role: LoginRole, row: RoleRow | undefined): string {
  const name = quoteIdentifier(role.name);
  const kept = row !== undefined && matchesVerifier(role.password, row.rolpassword);
  const password = kept ? "" : ` PASSWORD ${quoteLiteral(scramVerifier(role.password))}`;
  const statements = [
    `${row === undefined ? "CREATE" : "ALTER"} ROLE ${name} ${attributes} ${role.replication === true ? "REPLICATION" : "NOREPLICATION"}${password}`,
    role.readOnly === true
      ? `ALTER ROLE ${name} SET default_transaction_read_only = on`
      : `ALTER ROLE ${name} RESET default_transaction_read_only`,
    ...(role.memberOf ?? []).map((group) => `GRANT ${quoteIdentifier(group)} TO ${name}`),
  ];
  return statements.join(";\n");
}

async function readRoles(client: Client, roles: readonly LoginRole[]): Promise<Map<string, RoleRow>> {
  const { rows } = await client.query<RoleRow>(
    `SELECT r.rolname::text, a.rolpassword,
            r.rolcanlogin AND NOT (r.rolsuper OR r.rolcreatedb OR r.rolcreaterole OR r.rolbypassrls) AS plain, r.rolreplication AS replication,
            coalesce((SELECT s.setconfig FROM pg_db_role_setting s WHERE s.setrole = r.oid AND s.setdatabase = 0), '{}') AS settings,
            ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid) AS "memberOf"
       FROM pg_roles r JOIN pg_authid a USING (oid)
      WHERE r.rolname = ANY ($1)`,
    [roles.map((role) => role.name)],
  );
  return new Map(rows.map((row) => [row.rolname, row]));
}
