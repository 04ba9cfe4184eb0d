import { Client } from "pg";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { clientConfig, displayUrl } from "./connection.ts";
import type { ConnectionSettings } from "./connection.ts";

export interface SessionOptions {
  /** Shown in `pg_stat_activity`; default `understudy`. */
  readonly applicationName?: string;
  /** Every transaction of the session is READ ONLY; default false. */
  readonly readOnly?: boolean;
  /** Longest time of one statement; default 0, no limit. */
  readonly statementTimeoutMs?: number;
  /** Longest wait for a lock; default 10,000. */
  readonly lockTimeoutMs?: number;
  /** Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Ends the session on the server too, whatever it runs. */
  readonly signal?: AbortSignal | undefined;
}

/** What an operation throws that was interrupted by its signal. */
export function interrupted(operation: string): UnderstudyError {
  return new UnderstudyError(`${operation} was interrupted.`, {
    exitCode: exitCode.interrupted,
    remedy: "Run the same command again: it goes on from what is there.",
  });
}

/**
 * Runs `use` with a connected client and closes it whatever happens.
 * A server that loses us ends the session's statement within a second (PostgreSQL 14 and newer).
 * @throws UnderstudyError exit 3 when the server cannot be reached or refuses the login (never with the password in it),
 *   exit 130 when `signal` fires.
 */
export async function withSession<Result>(
  settings: ConnectionSettings,
  options: SessionOptions,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const { signal, applicationName = "understudy" } = options;
  const stopped = (): boolean => signal?.aborted === true;
  if (stopped()) throw interrupted(applicationName);
  const client = await openConnection(settings, options);
  const onAbort = (): void => void terminate(settings, client);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    await client.query(sessionSql(options));
    const result = await use(client);
    if (stopped()) throw interrupted(applicationName);
    return result;
  } catch (error) {
    throw stopped() ? interrupted(applicationName) : error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
    await client.end().catch(() => {});
  }
}

/** Runs `use` between BEGIN and COMMIT; rolls back when it throws. */
export async function inTransaction<Result>(client: Client, use: () => Promise<Result>): Promise<Result> {
  await client.query("BEGIN");
  try {
    const result = await use();
    await client.query("COMMIT");
    return result;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

/** True for an error of the server with one of these SQLSTATE codes. */
export function hasSqlState(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && typeof error.code === "string" && codes.includes(error.code);
}

/**
 * Connects with the server's own defaults for every setting; `withSession` sets the timeouts on top.
 * @throws UnderstudyError (exit 3) with what to do.
 */
export async function openConnection(
  settings: ConnectionSettings,
  options: Pick<SessionOptions, "applicationName" | "connectTimeoutMs">,
): Promise<Client> {
  const { applicationName = "understudy", connectTimeoutMs = 5_000 } = options;
  const client = new Client(clientConfig(settings, { applicationName, connectTimeoutMs }));
  // A connection that breaks between two queries must not end the process: the next query reports it.
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (cause) {
    await client.end().catch(() => {});
    throw new UnderstudyError(`Cannot open ${displayUrl(settings)}: ${messageOf(cause)}.`, {
      exitCode: exitCode.provisioning,
      remedy: remedyOf(cause),
      cause,
    });
  }
}

function remedyOf(cause: unknown): string {
  if (hasSqlState(cause, "28P01", "28000")) return "Check the user and its password.";
  if (hasSqlState(cause, "3D000")) return "Check the database's name.";
  if (hasSqlState(cause, "57P03")) return "It was shut down or crashed and is coming up again; its log says why (a full disk?).";
  return "Check that the server runs and listens there.";
}

function sessionSql(options: SessionOptions): string {
  const { statementTimeoutMs = 0, lockTimeoutMs = 10_000, readOnly = false } = options;
  return `
    SET statement_timeout = ${Math.round(statementTimeoutMs)};
    SET lock_timeout = ${Math.round(lockTimeoutMs)};
    SET timezone = 'UTC';
    SET default_transaction_read_only = ${readOnly ? "on" : "off"};
    SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'`;
}

interface BackendKey {
  readonly processID?: number | null;
}

async function terminate(settings: ConnectionSettings, client: Client): Promise<void> {
  const { processID } = client as Client & BackendKey;
  const other = new Client(clientConfig(settings, { applicationName: "understudy interrupt", connectTimeoutMs: 2_000 }));
  other.on("error", () => {});
  try {
    await other.connect();
    await other.query("SELECT pg_terminate_backend($1)", [processID]);
  } catch {
    await client.end().catch(() => {});
  } finally {
    await other.end().catch(() => {});
  }
}
