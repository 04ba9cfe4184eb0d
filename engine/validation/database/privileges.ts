import type { Client } from "pg";
import { quoteIdentifier } from "../../postgres/identifier.ts";
import { hasSqlState } from "../../postgres/session.ts";
import { stagingRoles } from "../../staging/database.ts";
import type { ValidationCheck } from "../check.ts";
import { verdict } from "../outcome.ts";

const insufficientPrivilege = "42501";
const userSchemas = `SELECT n.nspname::text AS name FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1`;

/** Tries a statement in a transaction that is rolled back whatever happens; true when it was denied for want of privilege. */
async function isDenied(client: Client, statement: string): Promise<boolean> {
  await client.query("BEGIN READ WRITE");
  try {
    await client.query(statement);
    return false;
  } catch (error) {
    if (hasSqlState(error, insufficientPrivilege)) return true;
    throw error;
  } finally {
    await client.query("ROLLBACK");
  }
}

export const appHasNoDdl: ValidationCheck = {
  id: "database.app-no-ddl",
  category: "database",
  title: "The application's role cannot change the schema",
  severity: "error",
  quick: false,
  run: async ({ session }) => {
    const role = stagingRoles.app;
    const { tried, problems } = await session(
      "app",
      async (client) => {
        const problems: string[] = [];
        const schemas = (await client.query<{ name: string }>(userSchemas)).rows;
        const attempts = [
          { what: "create a schema", statement: "CREATE SCHEMA understudy_probe" },
          ...schemas.map(({ name }) => ({ what: `create a table in ${name}`, statement: `CREATE TABLE ${quoteIdentifier(name)}.understudy_probe ()` })),
        ];
        for (const { what, statement } of attempts) {
          if (!(await isDenied(client, statement))) problems.push(`${role} can ${what}`);
        }
        const owned = await client.query<{ name: string }>(
          `SELECT c.oid::regclass::text AS name FROM pg_class c WHERE c.relowner = to_regrole($1)
           UNION ALL SELECT nspname::text FROM pg_namespace WHERE nspowner = to_regrole($1)`,
          [role],
        );
        problems.push(...owned.rows.map(({ name }) => `${role} owns ${name}, and may alter or drop it`));
        const plain = await client.query<{ plain: boolean }>(
          `SELECT NOT (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls) AND NOT pg_has_role($1, $2, 'MEMBER') AS plain FROM pg_roles WHERE rolname = $1`,
          [role, stagingRoles.owner],
        );
        if (plain.rows[0]?.plain !== true) problems.push(`${role} has attributes or memberships that an application does not need`);
        return { tried: attempts.length, problems };
      },
      { writable: true },
    );
    return verdict(problems, { count: tried, evidence: `${tried} attempts to create something denied; it owns nothing`, remedy: "REVOKE CREATE from it; `understudy up` sets the privileges." });
  },
};

export const readOnlyCannotWrite: ValidationCheck = {
  id: "database.read-only-cannot-write",
  category: "database",
  title: "The read-only role cannot write",
  severity: "error",
  quick: false,
  run: async ({ session }) => {
    const role = stagingRoles.readOnly;
    const { tables, problems } = await session(
      "readOnly",
      async (client) => {
        const { rows } = await client.query<{ name: string; granted: string[] }>(
          `SELECT c.oid::regclass::text AS name,
                  ARRAY(SELECT p FROM unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p WHERE has_table_privilege($1, c.oid, p)) AS granted
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1`,
          [role],
        );
        const problems = rows.filter(({ granted }) => granted.length > 0).map(({ name, granted }) => `${role} has ${granted.join(", ")} on ${name}`);
        const [first] = rows;
        // Matches no row; the privilege is looked at all the same.
        if (first !== undefined && !(await isDenied(client, `DELETE FROM ${first.name} WHERE false`)) && problems.length === 0) {
          problems.push(`${role} was not denied a DELETE on ${first.name}`);
        }
        return { tables: rows.length, problems };
      },
      { writable: true },
    );
    return verdict(problems, { count: tables, evidence: `no write privilege on any of ${tables} tables; a DELETE was denied`, remedy: "REVOKE INSERT, UPDATE, DELETE, TRUNCATE from it; `understudy up` sets the privileges." });
  },
};
