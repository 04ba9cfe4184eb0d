import { Pool, type QueryResultRow } from "pg";
import type { FastifyBaseLogger } from "fastify";
import { codeOf, isConnectionLoss } from "../../shared/connectionLoss.ts";
import type { Metrics } from "./metrics.ts";

/** How long what was not done is tried again while connections are lost: a restart or a blue/green switch takes less. */
const retryForMs = 5_000;
const firstPauseMs = 25;
/** A replica that was lost is left alone for so long; the primary answers meanwhile. */
const replicaRestMs = 1_000;

/** A named statement: the name labels its metrics. */
export interface Query {
  readonly name: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** Where reads of one request go. */
export interface Reader {
  /** Rows of a statement that only reads. */
  read<Row extends QueryResultRow>(query: Query): Promise<Row[]>;
}

export interface DatabaseOptions {
  readonly url: string;
  readonly replicaUrl: string | undefined;
  /** Most connections to each server. */
  readonly connections: number;
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
}

/**
 * Writes go to the primary, reads to the replica while there is one that answers, else to the primary. Either may go away and
 * come back: reads, and writes that were not done, are then tried again. A write is one statement: fewer round trips, and a row
 * that many want is locked for no longer than it takes.
 */
export class Database {
  readonly #primary: Pool;
  readonly #replica: Pool | undefined;
  readonly #metrics: Metrics;
  readonly #log: FastifyBaseLogger;
  #replicaAwayUntil = 0;
  /** For whoever must see his own writes at once. */
  readonly primary: Reader = { read: (query) => this.#readPrimary(query) };
  /** For everybody else. */
  readonly anywhere: Reader = { read: (query) => this.#readAnywhere(query) };

  constructor(options: DatabaseOptions) {
    this.#metrics = options.metrics;
    this.#log = options.log;
    this.#primary = poolOf(options.url, options);
    this.#replica = options.replicaUrl === undefined ? undefined : poolOf(options.replicaUrl, options);
    options.metrics.watchPools({ primary: this.#primary, ...(this.#replica === undefined ? {} : { replica: this.#replica }) }, options.connections);
  }

  /**
   * Rows that one statement, a transaction of its own, gives back. Tried again as long as it is certain that nothing was committed:
   * no connection could be had, or the server itself said that it had ended the statement.
   */
  async write<Row extends QueryResultRow>(query: Query): Promise<Row[]> {
    return this.#retrying(async () => {
      const client = await this.#primary.connect().catch((error: unknown) => {
        throw isConnectionLoss(error) ? new NothingDone(error) : error;
      });
      let broken: Error | undefined;
      const onError = (error: Error): void => {
        broken = error;
      };
      client.on("error", onError);
      try {
        const { rows } = await this.#timed(query.name, "primary", () => client.query<Row>(query.text, [...(query.values ?? [])]));
        return rows;
      } catch (error) {
        if (isConnectionLoss(error)) broken = error instanceof Error ? error : new Error(codeOf(error));
        throw endedByServer.has(codeOf(error)) ? new NothingDone(error) : error;
      } finally {
        client.off("error", onError);
        client.release(broken);
      }
    }, (error) => error instanceof NothingDone);
  }

  /** One round trip on a pooled connection to each server, not tried again; for health. */
  async ping(): Promise<{ readonly primary: boolean; readonly replica: boolean | undefined }> {
    const answers = (pool: Pool): Promise<boolean> =>
      pool.query("SELECT 1").then(
        () => true,
        () => false,
      );
    const [primary, replica] = await Promise.all([answers(this.#primary), this.#replica === undefined ? undefined : answers(this.#replica)]);
    return { primary, replica };
  }

  async close(): Promise<void> {
    await Promise.all([this.#primary.end(), this.#replica?.end()]);
  }

  async #readAnywhere<Row extends QueryResultRow>(query: Query): Promise<Row[]> {
    const replica = this.#replica;
    if (replica === undefined || Date.now() < this.#replicaAwayUntil) return this.#readPrimary(query);
    try {
      const { rows } = await this.#timed(query.name, "replica", () => replica.query<Row>(query.text, [...(query.values ?? [])]));
      return rows;
    } catch (error) {
      // Cancelled in favour of what the primary has cleaned up: the same statement there succeeds.
      const conflict = codeOf(error) === "40001";
      if (!conflict && !isConnectionLoss(error)) throw error;
      if (!conflict) {
        if (Date.now() >= this.#replicaAwayUntil) this.#log.warn({ code: codeOf(error) }, "the replica was lost; the primary answers");
        this.#replicaAwayUntil = Date.now() + replicaRestMs;
      }
      this.#metrics.databaseRetries.inc({ server: "replica" });
      return this.#readPrimary(query);
    }
  }

  async #readPrimary<Row extends QueryResultRow>(query: Query): Promise<Row[]> {
    return this.#retrying(async () => {
      const { rows } = await this.#timed(query.name, "primary", () => this.#primary.query<Row>(query.text, [...(query.values ?? [])]));
      return rows;
    });
  }

  async #timed<Result>(query: string, server: "primary" | "replica", run: () => Promise<Result>): Promise<Result> {
    const stop = this.#metrics.queryDuration.startTimer({ query, server });
    try {
      return await run();
    } finally {
      stop();
    }
  }

  async #retrying<Result>(run: () => Promise<Result>, mayRepeat: (error: unknown) => boolean = isConnectionLoss): Promise<Result> {
    const deadline = Date.now() + retryForMs;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, 400)) {
      try {
        return await run();
      } catch (error) {
        if (!mayRepeat(error) || Date.now() + pauseMs > deadline) throw error;
        this.#metrics.databaseRetries.inc({ server: "primary" });
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }
}

// Ended by an administrator before it was done, not accepting connections (a switch), its name being given to another database.
const endedByServer = new Set(["57P01", "57P03", "55000", "3D000"]);

/** A write that has certainly left nothing. Its code is its cause's. */
class NothingDone extends Error {
  readonly code: string;

  constructor(cause: unknown) {
    super("the statement was not run", { cause });
    this.name = "NothingDone";
    this.code = codeOf(cause);
  }
}

function poolOf(url: string, { connections, log }: DatabaseOptions): Pool {
  const pool = new Pool({
    connectionString: url,
    max: connections,
    application_name: "architect-api",
    connectionTimeoutMillis: 3_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: 5_000,
    query_timeout: 6_000,
    idle_in_transaction_session_timeout: 10_000,
    keepAlive: true,
  });
  // Without a listener the end of an idle connection ends the process.
  pool.on("error", (error) => log.warn({ code: codeOf(error) }, "an idle database connection was lost"));
  return pool;
}
