import type { Client } from "pg";
import { exitCode, messageOf, UnderstudyError } from "../../errors.ts";
import { quoteIdentifier, quoteLiteral } from "../../postgres/identifier.ts";
import { createDatabase } from "../../postgres/databases.ts";
import { interrupted } from "../../postgres/session.ts";
import { connectionOf, stagingRoles } from "../../staging/database.ts";
import type { StagingDatabase, StagingRole } from "../../staging/database.ts";
import { openSession } from "../run/session.ts";
import { cloneName, keptName, newRunId, runLockKey, runOfClone } from "./names.ts";
import { databaseSettingsSql } from "./settings.ts";

/**
 * Clones of at most this size are dropped in the background, and copied block by block through the log, which spares two
 * checkpoints. A larger one is copied file by file: through the log, each of its bytes would be written twice.
 */
const smallBytes = 64 * 1_048_576;

/**
 * The clones of one rehearsal. An advisory lock, held as long as the process lives, tells them from those of a dead run;
 * those are dropped by whoever comes next. Staging itself is only read; sessions on it are ended for the copy's moment.
 */
export class CloneSet {
  readonly runId: string;
  readonly staging: StagingDatabase;
  readonly #keeper: Client;
  readonly #names = new Set<string>();
  #queue: Promise<unknown> = Promise.resolve();
  #number = 0;
  #stagingIsLarge = false;
  #dropper: Client | undefined;
  /** Ends sessions while the keeper is busy with a copy. */
  #ender: Promise<Client> | undefined;
  #dropping: Promise<void> = Promise.resolve();

  private constructor(staging: StagingDatabase, keeper: Client, runId: string) {
    this.staging = staging;
    this.#keeper = keeper;
    this.runId = runId;
  }

  /** Takes the run's lock and drops what dead runs left. */
  static async open(staging: StagingDatabase): Promise<CloneSet> {
    const keeper = await openSession(connectionOf(staging, "admin", "postgres"), "understudy rehearsal");
    const clones = new CloneSet(staging, keeper, newRunId());
    try {
      await keeper.query("SELECT pg_advisory_lock($1::bigint)", [runLockKey(clones.runId)]);
      await clones.#dropLeftovers();
      return clones;
    } catch (error) {
      await keeper.end().catch(() => {});
      throw error;
    }
  }

  /** Copies staging as it is now, with its owner, privileges and settings. */
  async cloneStaging(signal?: AbortSignal): Promise<string> {
    const name = this.#nextName();
    this.#stagingIsLarge = (await this.#sizeBytes(this.staging.database)) > smallBytes;
    await this.#serial(() => this.#create(name, this.staging.database, (isDone) => this.#endSessions(this.staging.database, isDone), signal));
    return name;
  }

  /** An empty database of the run's own, to load something into. */
  async empty(): Promise<string> {
    const name = this.#nextName();
    this.#names.add(name);
    await this.#serial(() => createDatabase(this.#keeper, name, stagingRoles.owner));
    return name;
  }

  /** Copies a clone on which nobody is connected. */
  async clone(template: string, signal?: AbortSignal): Promise<string> {
    const name = this.#nextName();
    await this.#serial(async () => {
      await this.#sessionsGone(template);
      await this.#create(name, template, undefined, signal);
    });
    return name;
  }

  settings(name: string, role: StagingRole): ReturnType<typeof connectionOf> {
    return connectionOf(this.staging, role, name);
  }

  /**
   * Gives a clone up. Large ones are dropped before this returns, so that disk use stays bounded; small ones in the
   * background, for each DROP DATABASE waits for a checkpoint; and small ones of a large staging at the end, for the
   * checkpoint would have to write what a large clone beside has changed, again and again.
   */
  async drop(name: string): Promise<void> {
    const isSmall = !this.#stagingIsLarge || (await this.#sizeBytes(name)) <= smallBytes;
    if (isSmall && this.#stagingIsLarge) return;
    const dropped = this.#dropping.then(async () => {
      this.#dropper ??= await openSession(connectionOf(this.staging, "admin", "postgres"), "understudy rehearsal");
      await this.#dropper.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`);
      this.#names.delete(name);
    });
    this.#dropping = dropped.catch(() => {});
    if (!isSmall) await dropped;
  }

  /** Renames a clone so that it outlives the run; returns its new name. */
  async keep(name: string): Promise<string> {
    const kept = keptName(this.staging.database, this.runId);
    await this.#serial(async () => {
      await endBackends(this.#keeper, name, false);
      await this.#keeper.query(`ALTER DATABASE ${quoteIdentifier(name)} RENAME TO ${quoteIdentifier(kept)}`);
    });
    this.#names.delete(name);
    return kept;
  }

  /** Ends one session of a clone, as an administrator or a crash would. */
  async terminate(pid: number): Promise<void> {
    await (await this.#openEnder()).query("SELECT pg_terminate_backend($1)", [pid]);
  }

  /**
   * Ends the autovacuum that follows on the heels of a large change: between up and down lie moments here and hours in production.
   * A session whose lock_timeout is shorter than deadlock_timeout would never get past it by itself.
   */
  async endAutovacuum(database: string): Promise<void> {
    await (await this.#openEnder()).query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'autovacuum worker'", [database]);
  }

  #openEnder(): Promise<Client> {
    return (this.#ender ??= openSession(connectionOf(this.staging, "admin", "postgres"), "understudy rehearsal"));
  }

  /** Drops every clone of this run and gives the lock back. Never throws; returns what could not be dropped. */
  async close(): Promise<string[]> {
    const left: string[] = [];
    await Promise.all([this.#queue, this.#dropping]);
    const queue = [...this.#names];
    const work = async (client: Client): Promise<void> => {
      for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
        const named = name;
        await client.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(named)} WITH (FORCE)`).catch((error: unknown) => left.push(`${named}: ${messageOf(error)}`));
      }
    };
    // Two at a time, for they wait for the same checkpoint.
    await Promise.all([work(this.#keeper), ...(this.#dropper === undefined ? [] : [work(this.#dropper)])]);
    const ender = await this.#ender?.catch(() => undefined);
    await Promise.all([this.#keeper, this.#dropper, ender].map((client) => client?.end().catch(() => {})));
    return left;
  }

  #nextName(): string {
    this.#number += 1;
    return cloneName(this.staging.database, this.runId, this.#number);
  }

  /** One statement at a time on the keeper, the session that holds the lock until its last CREATE DATABASE has ended. */
  #serial<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => {});
    return result;
  }

  async #create(name: string, template: string, beside: ((isDone: () => boolean) => Promise<void>) | undefined, signal?: AbortSignal): Promise<void> {
    const stopped = (): boolean => signal?.aborted === true;
    if (stopped()) throw interrupted("The migration rehearsal");
    const settings = await this.#keeper.query<{ statement: string }>(databaseSettingsSql, [template, name]);
    this.#names.add(name);
    const sql = `CREATE DATABASE ${quoteIdentifier(name)} TEMPLATE ${quoteIdentifier(template)} OWNER ${stagingRoles.owner}${await this.#strategy(template)}`;
    for (let attempt = 1; ; attempt += 1) {
      try {
        // CREATE DATABASE bars new sessions from its template and waits five seconds for the present ones to go.
        let done = false;
        const creation = this.#keeper.query(sql).finally(() => {
          done = true;
        });
        await Promise.all([creation, beside?.(() => done || stopped())]);
        break;
      } catch (cause) {
        if (stopped()) throw interrupted("The migration rehearsal");
        if (attempt === 3 || !messageOf(cause).includes("being accessed")) throw cloneFailed(template, cause);
      }
    }
    const started = JSON.stringify({ run: this.runId, pid: process.pid, startedAt: new Date().toISOString() });
    await this.#keeper.query(`COMMENT ON DATABASE ${quoteIdentifier(name)} IS ${quoteLiteral(`understudy rehearsal ${started}`)}`);
    if (settings.rows.length > 0) await this.#keeper.query(settings.rows.map((row) => row.statement).join(";\n"));
  }

  /** From PostgreSQL 15 there is a choice; before it, every copy is one of files. */
  async #strategy(template: string): Promise<string> {
    const { rows } = await this.#keeper.query<{ number: number }>("SELECT current_setting('server_version_num')::int AS number");
    return (rows[0]?.number ?? 0) >= 150_000 && (await this.#sizeBytes(template)) > smallBytes ? " STRATEGY file_copy" : "";
  }

  async #sizeBytes(database: string): Promise<number> {
    const { rows } = await (await this.#openEnder()).query<{ bytes: string }>("SELECT pg_database_size(oid)::text AS bytes FROM pg_database WHERE datname = $1", [database]);
    return Number(rows[0]?.bytes ?? 0);
  }

  /** A session just closed lives on for some milliseconds; CREATE DATABASE would look only every 100 ms. */
  async #sessionsGone(database: string): Promise<void> {
    for (const deadline = performance.now() + 1_000; performance.now() < deadline; ) {
      const { rowCount } = await this.#keeper.query("SELECT FROM pg_stat_activity WHERE datname = $1", [database]);
      if (rowCount === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Idle sessions first; those at work get a second to finish. Goes on until the copy is made, for whoever slips in. */
  async #endSessions(database: string, isDone: () => boolean): Promise<void> {
    const client = await openSession(connectionOf(this.staging, "admin", "postgres"), "understudy rehearsal");
    try {
      for (const started = performance.now(); !isDone() && performance.now() - started < 6_000; ) {
        await endBackends(client, database, performance.now() - started < 1_000);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } finally {
      await client.end().catch(() => {});
    }
  }

  async #dropLeftovers(): Promise<void> {
    const { rows } = await this.#keeper.query<{ name: string }>("SELECT datname::text AS name FROM pg_database WHERE NOT datistemplate");
    for (const { name } of rows) {
      const run = runOfClone(this.staging.database, name);
      if (run === undefined) continue;
      const key = runLockKey(run);
      const lock = await this.#keeper.query<{ dead: boolean }>("SELECT pg_try_advisory_lock($1::bigint) AS dead", [key]);
      if (lock.rows[0]?.dead !== true) continue;
      try {
        await this.#keeper.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`);
      } finally {
        await this.#keeper.query("SELECT pg_advisory_unlock($1::bigint)", [key]);
      }
    }
  }
}

async function endBackends(client: Client, database: string, onlyIdle: boolean): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = $1 AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND (state = 'idle' OR NOT $2)`,
    [database, onlyIdle],
  );
}

function cloneFailed(template: string, cause: unknown): UnderstudyError {
  return new UnderstudyError(`Database ${template} could not be cloned: ${messageOf(cause)}.`, {
    exitCode: exitCode.provisioning,
    remedy: "Check the server's free disk space, and that nothing reconnects to staging as a superuser all the time.",
    cause,
  });
}
