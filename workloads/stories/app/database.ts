import { Pool, type QueryResultRow } from "pg";
import type { FastifyBaseLogger } from "fastify";
import { codeOf, isConnectionLoss } from "../../shared/connectionLoss.ts";
import type { Metrics } from "./metrics.ts";

/** How long reads and the start of transactions are tried again while connections are lost: a blue/green switch takes less. */
const retryForMs = 3_000;
const firstPauseMs = 25;

/** A named statement: the name labels its metrics. */
export interface Query {
  readonly name: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** The statements of one transaction. */
export interface Transaction {
  query<Row extends QueryResultRow>(query: Query): Promise<Row[]>;
}

/**
 * The application's connections. The database may be switched under it (all connections ended, the name given to another
 * database) and come back after a restart: reads, and transactions not yet committed, are then tried again.
 */
export class Database {
  readonly #pool: Pool;
  readonly #metrics: Metrics;

  constructor(options: { url: string; poolSize: number; metrics: Metrics; log: FastifyBaseLogger }) {
    this.#metrics = options.metrics;
    this.#pool = new Pool({
      connectionString: options.url,
      max: options.poolSize,
      application_name: "stories-app",
      connectionTimeoutMillis: 2_000,
      idleTimeoutMillis: 30_000,
      statement_timeout: 5_000,
      query_timeout: 6_000,
      idle_in_transaction_session_timeout: 10_000,
      keepAlive: true,
    });
    // Without a listener the end of an idle connection ends the process.
    this.#pool.on("error", (error) => options.log.warn({ code: codeOf(error) }, "an idle database connection was lost"));
    options.metrics.watchPool(this.#pool, options.poolSize);
  }

  /** Rows of a statement that only reads. */
  async read<Row extends QueryResultRow>(query: Query): Promise<Row[]> {
    return this.#retrying(async () => {
      const { rows } = await this.#timed(query.name, () => this.#pool.query<Row>(query.text, [...(query.values ?? [])]));
      return rows;
    });
  }

  /** Commits what `use` did, or nothing of it. `use` may be called again as long as nothing was committed. */
  async transaction<Result>(use: (transaction: Transaction) => Promise<Result>): Promise<Result> {
    return this.#retrying(async () => {
      const client = await this.#pool.connect();
      let broken: Error | undefined;
      const onError = (error: Error): void => {
        broken = error;
      };
      client.on("error", onError);
      try {
        await client.query("BEGIN");
        const result = await use({
          query: async <Row extends QueryResultRow>(query: Query) => {
            const { rows } = await this.#timed(query.name, () => client.query<Row>(query.text, [...(query.values ?? [])]));
            return rows;
          },
        });
        await client.query("COMMIT").catch((error: unknown) => {
          // It may have been committed: trying again could do it twice.
          throw new CommitUncertain(error);
        });
        return result;
      } catch (error) {
        if (error instanceof Error && (isConnectionLoss(error) || error instanceof CommitUncertain)) broken = error;
        else await client.query("ROLLBACK").catch((rollbackError: Error) => (broken = rollbackError));
        throw error;
      } finally {
        client.off("error", onError);
        client.release(broken);
      }
    });
  }

  /** One round trip on a pooled connection, not tried again; for health. */
  async ping(): Promise<void> {
    await this.#pool.query("SELECT 1");
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #timed<Result>(query: string, run: () => Promise<Result>): Promise<Result> {
    const stop = this.#metrics.queryDuration.startTimer({ query });
    try {
      return await run();
    } finally {
      stop();
    }
  }

  async #retrying<Result>(run: () => Promise<Result>): Promise<Result> {
    const deadline = Date.now() + retryForMs;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, 400)) {
      try {
        return await run();
      } catch (error) {
        if (!isConnectionLoss(error) || Date.now() + pauseMs > deadline) throw error;
        this.#metrics.databaseRetries.inc();
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }
}

/** The connection was lost while COMMIT was under way. */
class CommitUncertain extends Error {
  constructor(cause: unknown) {
    super("the connection was lost while the transaction was being committed", { cause });
    this.name = "CommitUncertain";
  }
}
