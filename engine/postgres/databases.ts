import type { Client } from "pg";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import type { ConnectionSettings } from "./connection.ts";
import { quoteIdentifier } from "./identifier.ts";
import { hasSqlState, inTransaction, withSession } from "./session.ts";

/** Whether the server has a database of this name. */
export async function databaseExists(client: Client, name: string): Promise<boolean> {
  const { rowCount } = await client.query("SELECT FROM pg_database WHERE datname = $1", [name]);
  return rowCount !== 0;
}

/** Makes an empty UTF-8 database from `template0`. */
export async function createDatabase(client: Client, name: string, owner: string): Promise<void> {
  await client.query(
    `CREATE DATABASE ${quoteIdentifier(name)} OWNER ${quoteIdentifier(owner)} TEMPLATE template0 ENCODING 'UTF8'`,
  );
}

/** Drops a database if it is there, whoever is connected to it. */
export async function dropDatabase(client: Client, name: string): Promise<void> {
  await client.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`);
}

/**
 * Runs `use` while this session alone holds the name: two runs on the same database come one after the other.
 * The lock ends with the session, so a killed run leaves none.
 * @throws UnderstudyError (exit 3) when another run holds it for longer than `waitMs`.
 */
export async function withDatabaseLock<Result>(
  client: Client,
  name: string,
  use: () => Promise<Result>,
  waitMs = 60_000,
): Promise<Result> {
  const key = `understudy ${name}`;
  try {
    await inTransaction(client, async () => {
      await client.query(`SET LOCAL lock_timeout = ${Math.round(waitMs)}`);
      await client.query("SELECT pg_advisory_lock(hashtextextended($1, 0))", [key]);
    });
  } catch (cause) {
    if (!hasSqlState(cause, "55P03")) throw cause;
    throw new UnderstudyError(`Another run is at work on database "${name}" since ${Math.round(waitMs / 1000)} s.`, {
      exitCode: exitCode.provisioning,
      remedy: "Wait for it to end, then run again.",
      cause,
    });
  }
  try {
    return await use();
  } finally {
    await client.query("SELECT pg_advisory_unlock(hashtextextended($1, 0))", [key]).catch(() => {});
  }
}

export interface DatabaseSwitch {
  /** Superusers on servers that follow this one; sessions on what is no longer in use end there too. */
  readonly standbys?: readonly ConnectionSettings[];
  /** The name in use; need not exist yet. */
  readonly live: string;
  /** The finished database that takes over the name. */
  readonly next: string;
  /** What the one in use is called afterwards; an older one of that name is dropped once the switch is done. */
  readonly previous: string;
}

/** The name an older `previous` has between the switch and its end; a leftover of a kill is dropped by the next switch. */
const discarded = (previous: string): string => `${previous}_discarded`;

/**
 * Switches databases by name in one transaction: whoever connects finds the one or the other, never none that lasts.
 * Sessions on them are ended; new ones wait for the instant of the switch.
 * @param settings a superuser on a maintenance database.
 * @throws UnderstudyError (exit 3) when sessions could not be ended in time; nothing is switched then.
 */
export async function switchDatabase(settings: ConnectionSettings, names: DatabaseSwitch, signal?: AbortSignal): Promise<void> {
  const { live, next, previous } = names;
  const options = { applicationName: "understudy switch", signal };
  await withSession(settings, options, async (client) => {
    await dropDatabase(client, discarded(previous));
    const renames: [string, string][] = [];
    if (await databaseExists(client, previous)) renames.push([previous, discarded(previous)]);
    if (await databaseExists(client, live)) renames.push([live, previous]);
    renames.push([next, live]);
    await renameAll(client, settings, renames, `Database "${next}" could not take over the name "${live}"`);
    await followOnStandbys(client, live, names.standbys);
    await dropDatabase(client, discarded(previous));
  });
}

/**
 * Exchanges the names of the database in use and the one before it in one transaction, as {@link switchDatabase} does.
 * @throws UnderstudyError (exit 3) when sessions could not be ended in time; nothing is exchanged then.
 */
export async function swapDatabases(
  settings: ConnectionSettings,
  { live, previous, standbys }: Omit<DatabaseSwitch, "next">,
  signal?: AbortSignal,
): Promise<void> {
  await withSession(settings, { applicationName: "understudy switch", signal }, async (client) => {
    const renames = [
      [live, discarded(previous)],
      [previous, live],
      [discarded(previous), previous],
    ] as const;
    await renameAll(client, settings, renames, `Databases "${live}" and "${previous}" could not exchange their names`);
    await followOnStandbys(client, live, standbys);
  });
}

/** How long a standby may take to see a switch; its sessions are ended then all the same. */
const standbyPatienceMs = 10_000;

/**
 * A switch on the primary ends no session of a standby, which would go on reading the database of before. One that does not
 * answer has no sessions either, and finds the new names when it is back.
 */
async function followOnStandbys(primary: Client, live: string, standbys: readonly ConnectionSettings[] = []): Promise<void> {
  if (standbys.length === 0) return;
  const { rows } = await primary.query<{ oid: number }>("SELECT oid FROM pg_database WHERE datname = $1", [live]);
  const oid = rows[0]?.oid;
  await Promise.all(
    standbys.map((standby) =>
      withSession(standby, { applicationName: "understudy switch", connectTimeoutMs: 2_000 }, async (client) => {
        const deadline = Date.now() + standbyPatienceMs;
        const hasSwitched = async () => (await client.query("SELECT FROM pg_database WHERE datname = $1 AND oid = $2", [live, oid])).rowCount === 1;
        while (!(await hasSwitched()) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 25));
        // Those of the database in use have just connected to it.
        await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datid <> $1 AND datname <> current_database()", [oid]);
      }).catch(() => {}),
    ),
  );
}

/** All renames or none; sessions on these databases are ended. */
async function renameAll(
  client: Client,
  settings: ConnectionSettings,
  renames: readonly (readonly [from: string, to: string])[],
  failure: string,
): Promise<void> {
  const stop = endSessionsOf(settings, renames.map(([from]) => from));
  try {
    await inTransaction(client, async () => {
      for (const [from, to] of renames) {
        await client.query(`ALTER DATABASE ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`);
      }
    });
  } catch (cause) {
    throw new UnderstudyError(`${failure}: ${messageOf(cause)}.`, {
      exitCode: exitCode.provisioning,
      remedy: "What was in use still is. End the sessions that hold it, then run again.",
      cause,
    });
  } finally {
    await stop();
  }
}

/** RENAME lets nobody new in and waits up to 5 s for those inside; this sees them out. */
function endSessionsOf(settings: ConnectionSettings, databases: readonly string[]): () => Promise<void> {
  const done = new AbortController();
  const ending = withSession(settings, { applicationName: "understudy switch" }, async (client) => {
    while (!done.signal.aborted) {
      await client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY ($1) AND pid <> pg_backend_pid()",
        [databases],
      );
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }).catch(() => {});
  return async () => {
    done.abort();
    await ending;
  };
}
