import type { Client } from "pg";
import { quoteIdentifier } from "../postgres/identifier.ts";
import { stagingRoles } from "./database.ts";

/** Schemas that only staging has; the application may read there and nothing more. */
export const stagingSchemas = ["staging_migrations", "staging_logs"] as const;

const notSystem = String.raw`n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`;
const notOfExtension = (classId: string, object: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${classId}'::regclass AND e.objid = ${object} AND e.deptype = 'e')`;

/** ALTER … OWNER for everything in user schemas that the owner does not own yet; extensions' own objects are left alone. */
const ownershipSql = `
  SELECT format('ALTER SCHEMA %I OWNER TO %I', n.nspname, $1::text) AS statement, 0 AS rank
    FROM pg_namespace n
   WHERE ${notSystem} AND pg_get_userbyid(n.nspowner) <> $1 AND ${notOfExtension("pg_namespace", "n.oid")}
  UNION ALL
  SELECT format('ALTER %s %I.%I OWNER TO %I',
                CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                               WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
                n.nspname, c.relname, $1::text), 1
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE ${notSystem} AND c.relkind IN ('r', 'p', 'S', 'v', 'm', 'f', 'c') AND pg_get_userbyid(c.relowner) <> $1
     AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                                               AND c.relkind = 'S' AND d.deptype IN ('a', 'i'))
     AND ${notOfExtension("pg_class", "c.oid")}
  UNION ALL
  SELECT format('ALTER %s %I.%I OWNER TO %I', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, n.nspname, t.typname, $1::text), 2
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE ${notSystem} AND t.typtype IN ('d', 'e', 'r') AND pg_get_userbyid(t.typowner) <> $1
     AND ${notOfExtension("pg_type", "t.oid")}
  UNION ALL
  SELECT format('ALTER %s %s OWNER TO %I',
                CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END,
                p.oid::regprocedure, $1::text), 3
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE ${notSystem} AND pg_get_userbyid(p.proowner) <> $1 AND ${notOfExtension("pg_proc", "p.oid")}
   ORDER BY rank, statement`;

/**
 * Gives everything in the connected database its owner and each role what it may do, now and (default privileges)
 * for what the owner makes later: the application reads and writes rows of application tables and their sequences,
 * reads staging's own tables, and makes nothing; the read-only role selects. No table is named.
 * Idempotent. Runs as a superuser, inside or outside a transaction.
 */
export async function grantPrivileges(client: Client): Promise<void> {
  await takeOwnership(client);
  const schemas = await client.query<{ name: string }>(
    `SELECT n.nspname::text AS name FROM pg_namespace n
      WHERE ${notSystem} AND ${notOfExtension("pg_namespace", "n.oid")} ORDER BY 1`,
  );
  const own: readonly string[] = stagingSchemas;
  const statements = schemas.rows.flatMap(({ name }) => grantsOf(name, own.includes(name)));
  await client.query([...futureSchemas(), ...statements].join(";\n"));
}

async function takeOwnership(client: Client): Promise<void> {
  const { rows } = await client.query<{ statement: string }>(ownershipSql, [stagingRoles.owner]);
  if (rows.length > 0) await client.query(rows.map((row) => row.statement).join(";\n"));
}

function grantsOf(name: string, isStagingOwn: boolean): string[] {
  const { owner, app, readOnly } = stagingRoles;
  const schema = quoteIdentifier(name);
  const future = `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} IN SCHEMA ${schema}`;
  const readable = [
    `REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC`,
    `GRANT USAGE ON SCHEMA ${schema} TO ${app}, ${readOnly}`,
    `GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${app}, ${readOnly}`,
    `GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${schema} TO ${app}, ${readOnly}`,
    `${future} GRANT SELECT ON TABLES TO ${app}, ${readOnly}`,
    `${future} GRANT SELECT ON SEQUENCES TO ${app}, ${readOnly}`,
  ];
  if (isStagingOwn) return readable;
  return [
    ...readable,
    `GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${app}`,
    `GRANT USAGE, UPDATE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${app}`,
    `${future} GRANT INSERT, UPDATE, DELETE ON TABLES TO ${app}`,
    `${future} GRANT USAGE, UPDATE ON SEQUENCES TO ${app}`,
  ];
}

/** A schema made later, by a migration: readable at once; writing there is the migration's to grant. */
function futureSchemas(): string[] {
  const { owner, app, readOnly } = stagingRoles;
  const future = `ALTER DEFAULT PRIVILEGES FOR ROLE ${owner}`;
  return [
    `${future} GRANT USAGE ON SCHEMAS TO ${app}, ${readOnly}`,
    `${future} GRANT SELECT ON TABLES TO ${readOnly}`,
  ];
}

/**
 * Gives the connected database to the owner, who may then build in it, and lets in the application and the
 * read-only role, nobody else. Not part of a dump, so every database made anew (copy, clone, restore) needs it.
 * Idempotent. Runs as a superuser, inside or outside a transaction.
 */
export async function claimDatabase(client: Client, database: string): Promise<void> {
  const { owner, app, readOnly } = stagingRoles;
  const name = quoteIdentifier(database);
  await client.query(
    `ALTER DATABASE ${name} OWNER TO ${owner};
     REVOKE ALL ON DATABASE ${name} FROM PUBLIC;
     GRANT CONNECT ON DATABASE ${name} TO ${app}, ${readOnly}`,
  );
  await takeOwnership(client);
}
