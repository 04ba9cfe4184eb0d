import type { Client } from "pg";
import { databaseExists, dropDatabase } from "../postgres/databases.ts";
import { quoteIdentifier, quoteLiteral } from "../postgres/identifier.ts";
import { hasSqlState } from "../postgres/session.ts";
import { stagingRoles } from "../staging/database.ts";

/** The databases of one staging server that a copy makes and switches. */
export interface DatabaseNames {
  readonly live: string;
  /** Being filled; left by a killed run, dropped by the next. */
  readonly next: string;
  /** What was live before the last copy. */
  readonly previous: string;
}

/** All names derive from the live one. */
export function databaseNames(live: string): DatabaseNames {
  return { live, next: `${live}_next`, previous: `${live}_previous` };
}

/** Drops what a killed or failed run left: never the live database, never the one kept for a rollback. True when it was there. */
export async function dropUnfinished(client: Client, names: DatabaseNames): Promise<boolean> {
  const present = await databaseExists(client, names.next);
  if (present) await dropDatabase(client, names.next);
  return present;
}

/** Makes the empty database to be filled; in encoding and locale as the source's, where this server knows them. */
export async function createNext(client: Client, names: DatabaseNames, like: { encoding: string; collate: string; ctype: string }): Promise<void> {
  const create = (locale: string): string =>
    `CREATE DATABASE ${quoteIdentifier(names.next)} OWNER ${stagingRoles.owner} TEMPLATE template0 ENCODING ${quoteLiteral(like.encoding)}${locale}`;
  try {
    await client.query(create(` LC_COLLATE ${quoteLiteral(like.collate)} LC_CTYPE ${quoteLiteral(like.ctype)}`));
  } catch (error) {
    if (!hasSqlState(error, "22023", "42809", "42704")) throw error;
    await client.query(create(""));
  }
  await carrySettings(client, names);
}

/** `ALTER DATABASE … SET`, for all roles and for single ones, as the live database has them. */
async function carrySettings(client: Client, names: DatabaseNames): Promise<void> {
  const { rows } = await client.query<{ role: string | null; setting: string }>(
    `SELECT r.rolname::text AS role, unnest(s.setconfig) AS setting
       FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole
      WHERE d.datname = $1`,
    [names.live],
  );
  for (const { role, setting } of rows) {
    const [name = "", ...value] = setting.split("=");
    const target = role === null ? `DATABASE ${quoteIdentifier(names.next)}` : `ROLE ${quoteIdentifier(role)} IN DATABASE ${quoteIdentifier(names.next)}`;
    const text = value.join("=");
    const isList = ["search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"].includes(name);
    await client.query(`ALTER ${target} SET ${quoteIdentifier(name)} = ${isList ? text : quoteLiteral(text)}`);
  }
}
