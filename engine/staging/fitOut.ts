import { readFile } from "node:fs/promises";
import type { Client } from "pg";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import type { Workload } from "../workload/manifest.ts";
import { stagingRoles } from "./database.ts";
import { grantPrivileges } from "./privileges.ts";

/**
 * Runs SQL files in order on the connected client, as `role` when given.
 * @throws UnderstudyError (exit 2) that names the file; the caller's transaction is then to be rolled back.
 */
export async function runSqlFiles(client: Client, files: readonly string[], role?: string): Promise<void> {
  for (const file of files) {
    const sql = await readFile(file, "utf8");
    try {
      if (role !== undefined) await client.query(`SET ROLE ${role}`);
      await client.query(sql);
      if (role !== undefined) await client.query("RESET ROLE");
    } catch (cause) {
      throw new UnderstudyError(`${file} failed: ${messageOf(cause)}.`, { exitCode: exitCode.usage, cause });
    }
  }
}

export interface FitOut {
  readonly workload: Workload;
  /** Written into the marker. */
  readonly stack: string;
}

/**
 * Makes the connected database staging's: the workload's staging SQL as the owner, the marker, ownership and
 * privileges. For a database made anew (prepare, copy) before anybody uses it. Idempotent; a marker that is there stays.
 * Runs as a superuser; give it a transaction of its own to have all of it or nothing.
 */
export async function fitOutDatabase(client: Client, { workload, stack }: FitOut): Promise<void> {
  await runSqlFiles(client, workload.manifest.database.staging.map((file) => workload.path(file)), stagingRoles.owner);
  await client.query("INSERT INTO staging_logs.marker (stack) VALUES ($1) ON CONFLICT (only_row) DO NOTHING", [stack]);
  await grantPrivileges(client);
}

/** Adds a row to `staging_logs.init_log` of the connected database. */
export async function logInitEvent(client: Client, event: string, detail: Readonly<Record<string, unknown>>): Promise<void> {
  await client.query("INSERT INTO staging_logs.init_log (event, detail) VALUES ($1, $2)", [event, JSON.stringify(detail)]);
}
