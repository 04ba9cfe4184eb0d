import type { Client } from "pg";
import { quoteIdentifier } from "../postgres/identifier.ts";
import { stagingRoles } from "../staging/database.ts";

/**
 * Makes the roles that policies of row security name and this server does not know: without login, members or rights,
 * so that the policies are as in production. Staging's owner may hand them out.
 * @returns the ones made
 */
export async function makePolicyRoles(client: Client, roles: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>("SELECT name FROM unnest($1::text[]) AS name WHERE name NOT IN (SELECT rolname FROM pg_roles) ORDER BY 1", [roles]);
  for (const { name } of rows) await client.query(`CREATE ROLE ${quoteIdentifier(name)} NOLOGIN ADMIN ${stagingRoles.owner}`);
  return rows.map(({ name }) => name);
}

/**
 * Takes foreign tables out of the tables they belong to: whoever read such a table in staging, be it to verify it, would
 * read another server through it. The foreign tables themselves stay, empty of any way to sign in there.
 * @returns the ones taken out, in words
 */
export async function detachForeignTables(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ child: string; parent: string; partition: boolean }>(
    `SELECT i.inhrelid::regclass::text AS child, i.inhparent::regclass::text AS parent, c.relispartition AS partition
       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'f' ORDER BY 1`,
  );
  for (const { child, parent, partition } of rows) {
    await client.query(partition ? `ALTER TABLE ${parent} DETACH PARTITION ${child}` : `ALTER FOREIGN TABLE ${child} NO INHERIT ${parent}`);
  }
  return rows.map(({ child, parent }) => `foreign table ${child} as a part of ${parent}`);
}
