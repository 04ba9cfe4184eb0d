import { Client } from "pg";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import { clientConfig, displayUrl } from "../postgres/connection.ts";
import type { ConnectionSettings } from "../postgres/connection.ts";
import { quoteLiteral } from "../postgres/identifier.ts";
import { hasSqlState, interrupted } from "../postgres/session.ts";
import { keySetting } from "../masking/key.ts";
import { sourceFault } from "./sourceFault.ts";

export interface SourceOptions {
  /** Keys of masking domains, by domain. */
  readonly keys: ReadonlyMap<string, Buffer>;
  readonly signal?: AbortSignal | undefined;
}

/** A session on the source: one READ ONLY, REPEATABLE READ transaction from its first statement to its last. */
export interface SourceSession {
  readonly client: Client;
  /** True when the transaction was read-only and wrote nothing: the server never gave it a transaction id. */
  proveUntouched(): Promise<boolean>;
  close(): Promise<void>;
}

/** Longest statement, and longest pause between two, before the source ends the session by itself. */
const statementTimeoutMs = 60 * 60_000;
const idleTimeoutMs = 30 * 60_000;
const lockTimeoutMs = 5_000;

/**
 * Settings that come with the connection's first packet, so that none is ever a statement: the keys must not reach
 * a statement log, and the transaction cannot be anything but read-only.
 */
function startupSettings(keys: ReadonlyMap<string, Buffer>): string {
  const settings: Record<string, string | number> = {
    default_transaction_read_only: "on",
    default_transaction_isolation: "repeatable\\ read",
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: idleTimeoutMs,
    row_security: "off",
    search_path: "pg_catalog",
    timezone: "UTC",
    datestyle: "ISO",
    intervalstyle: "postgres",
    lc_monetary: "C",
    extra_float_digits: 1,
    bytea_output: "hex",
    jit: "off",
  };
  for (const [domain, key] of keys) settings[keySetting(domain)] = key.toString("hex");
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(" ");
}

/**
 * Opens a session on the source; with `snapshot`, one that sees exactly what the session sees that exported it.
 * @throws UnderstudyError exit 3 when it cannot be opened, exit 130 when interrupted.
 */
export async function openSource(settings: ConnectionSettings, options: SourceOptions, snapshot?: string): Promise<SourceSession> {
  const { signal } = options;
  const stopped = (): boolean => signal?.aborted === true;
  if (stopped()) throw interrupted("The copy");
  const client = new Client({
    ...clientConfig(settings, { applicationName: "understudy copy" }),
    options: startupSettings(options.keys),
  });
  client.on("error", () => {});
  const onAbort = (): void => void client.end().catch(() => {});
  signal?.addEventListener("abort", onAbort, { once: true });
  const close = async (): Promise<void> => {
    signal?.removeEventListener("abort", onAbort);
    await client.end().catch(() => {});
  };
  try {
    await client.connect().catch((cause: unknown) => {
      throw unreachable(settings, cause);
    });
    await client.query("SELECT set_config(name, '1s', false) FROM pg_settings WHERE name = 'client_connection_check_interval'");
    await refusePooler(client);
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (snapshot !== undefined) await importSnapshot(client, snapshot);
    return { client, proveUntouched: () => proveUntouched(client), close };
  } catch (error) {
    await close();
    throw stopped() ? interrupted("The copy") : error;
  }
}

/** Exports the session's snapshot for others to import, as long as its transaction is open. */
export async function exportSnapshot(session: SourceSession): Promise<string> {
  const { rows } = await session.client.query<{ snapshot: string }>("SELECT pg_export_snapshot() AS snapshot");
  return rows[0]?.snapshot ?? "";
}

/** From here on, names of the application may stand in policies without their schema. */
export async function useApplicationNames(session: SourceSession): Promise<void> {
  await session.client.query("SET search_path = pg_catalog, public");
}

/** A pooler that drops the settings of the first packet would make every statement run without them. */
async function refusePooler(client: Client): Promise<void> {
  const { rows } = await client.query<{ kept: boolean }>(
    "SELECT current_setting('default_transaction_read_only') = 'on' AND current_setting('row_security') = 'off' AS kept",
  );
  if (rows[0]?.kept === true) return;
  throw new UnderstudyError("The source does not keep the settings a session starts with: something stands between us and PostgreSQL.", {
    exitCode: exitCode.usage,
    remedy: "Connect to PostgreSQL itself, not to a pooler.",
  });
}

async function importSnapshot(client: Client, snapshot: string): Promise<void> {
  try {
    await client.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`);
  } catch (cause) {
    if (!hasSqlState(cause, "22023", "42704", "55000")) throw sourceFault(cause, "sharing the snapshot");
    throw splitSessions(snapshot, cause);
  }
}

/** What it means when a session cannot import the snapshot that another has just exported. */
export function splitSessions(snapshot: string, cause?: unknown): UnderstudyError {
  return new UnderstudyError(`A second session on the source does not know the first one's snapshot (${snapshot}): they reach different servers.`, {
    exitCode: exitCode.usage,
    remedy: "Name one server; a load balancer in between splits the sessions.",
    ...(cause === undefined ? {} : { cause }),
  });
}

async function proveUntouched(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ untouched: boolean }>(
    "SELECT pg_current_xact_id_if_assigned() IS NULL AND current_setting('transaction_read_only') = 'on' AS untouched",
  );
  return rows[0]?.untouched === true;
}

function unreachable(settings: ConnectionSettings, cause: unknown): UnderstudyError {
  const startup = /unsupported startup parameter/.test(messageOf(cause));
  return new UnderstudyError(`Cannot open the source ${displayUrl(settings)}: ${messageOf(cause)}.`, {
    exitCode: startup ? exitCode.usage : exitCode.provisioning,
    remedy: startup
      ? "Connect to PostgreSQL itself, not to a pooler."
      : hasSqlState(cause, "28P01", "28000")
        ? "Check the user and its password."
        : "Check that the server runs, listens there and has the database.",
    cause,
  });
}
