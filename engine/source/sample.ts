import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Client } from "pg";
import { exitCode, UnderstudyError } from "../errors.ts";
import { silent } from "../progress.ts";
import type { OnProgress } from "../progress.ts";
import { displayUrl } from "../postgres/connection.ts";
import type { ConnectionSettings } from "../postgres/connection.ts";
import { createDatabase, databaseExists, dropDatabase, switchDatabase, withDatabaseLock } from "../postgres/databases.ts";
import { quoteIdentifier, quoteLiteral } from "../postgres/identifier.ts";
import { withSession } from "../postgres/session.ts";
import { stagingRoles } from "../staging/database.ts";
import { runSqlFiles } from "../staging/fitOut.ts";
import { ensureRoles } from "../staging/roles.ts";
import type { Workload } from "../workload/manifest.ts";
import { listForeignKeys, orphansSql } from "../postgres/foreignKeys.ts";
import { countRows } from "../postgres/rowCounts.ts";

/** Only ever selects; what a real production would hand out to us. */
export const readerRole = "production_reader";

/** Owns the sample's tables and never logs in, as in a production whose objects are not the reader's. */
const ownerRole = "production_owner";

export interface CreateSampleSource {
  readonly server: { readonly host: string; readonly port: number; readonly adminPassword: string };
  /** Default `production_sample`. */
  readonly database?: string;
  readonly workload: Workload;
  /** At least 1; everything else follows from it. */
  readonly users: number;
  readonly readerPassword: string;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

export interface SampleSource {
  readonly database: string;
  readonly users: number;
  /** False when it was there already. */
  readonly created: boolean;
  /** Rows by table, the schema in front when it is not `public`. */
  readonly tables: Record<string, number>;
  readonly sizeBytes: number;
  /** How the copy reads it. */
  readonly reader: ConnectionSettings;
}

/** Kept as the database's comment: what it was made of, so that the same is not made twice. */
interface Label {
  readonly sample: string;
  readonly users: number;
  readonly tables: Record<string, number>;
}

/**
 * Makes the embedded sample production database, or finds it there. Built under another name and renamed when it is
 * whole, so a kill leaves nothing half under its own name; a run with another size or generator replaces it.
 * Foreign keys are checked in whole once all is loaded, instead of row by row.
 * @throws UnderstudyError exit 2 for a wrong number or a database of that name that is not a sample, exit 3 when the server
 *   cannot be reached, exit 130 when interrupted.
 */
export async function createSampleSource(options: CreateSampleSource): Promise<SampleSource> {
  const { server, database = "production_sample", workload, users, onProgress = silent, signal } = options;
  if (!Number.isSafeInteger(users) || users < 1) {
    throw new UnderstudyError(`The number of source users is ${users}: it must be a whole number of at least 1.`, {
      exitCode: exitCode.usage,
    });
  }
  const maintenance = adminOf(server, "postgres");
  const session = { applicationName: "understudy sample", signal };
  const reader = { ...maintenance, database, user: readerRole, password: options.readerPassword };
  const sample = await fingerprint(workload, users);
  const building = `${database}_building`;

  return withSession(maintenance, session, (client) =>
    withDatabaseLock(client, database, async () => {
      await ensureRoles(client, [{ name: readerRole, password: options.readerPassword, readOnly: true }]);
      const present = await labelOf(client, database, displayUrl({ ...maintenance, database }));
      if (present?.sample === sample) return finished(client, { database, users, reader, created: false }, present.tables);

      const tables = await build(client, building, { ...options, onProgress }, sample).catch(async (error: unknown) => {
        await withSession(maintenance, { applicationName: "understudy sample" }, (other) => dropDatabase(other, building)).catch(() => {});
        throw error;
      });
      await switchDatabase(maintenance, { live: database, next: building, previous: `${database}_previous` }, signal);
      await dropDatabase(client, `${database}_previous`);
      return finished(client, { database, users, reader, created: true }, tables);
    }),
  );
}

async function build(
  client: Client,
  building: string,
  options: CreateSampleSource & { readonly onProgress: OnProgress },
  sample: string,
): Promise<Record<string, number>> {
  const { server, workload, users, onProgress, signal } = options;
  await dropDatabase(client, building);
  await client.query(`DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${ownerRole}')
                       THEN CREATE ROLE ${ownerRole} NOLOGIN; END IF; END $$`);
  await createDatabase(client, building, ownerRole);
  await client.query(
    `REVOKE ALL ON DATABASE ${quoteIdentifier(building)} FROM PUBLIC;
     GRANT CONNECT ON DATABASE ${quoteIdentifier(building)} TO ${readerRole}`,
  );
  const tables = await withSession(adminOf(server, building), { applicationName: "understudy sample", signal }, async (target) => {
    target.on("notice", (notice) => onProgress({ step: "source", message: notice.message ?? "" }));
    await target.query(`ALTER SCHEMA public OWNER TO ${ownerRole}; SET synchronous_commit = off; SET jit = off; SET session_replication_role = replica`);
    await target.query("SELECT set_config('understudy.source_users', $1, false)", [String(users)]);
    await runSqlFiles(target, workload.manifest.database.schema.map((file) => workload.path(file)), ownerRole);
    await runSqlFiles(target, workload.manifest.source.generate.map((file) => workload.path(file)));
    onProgress({ step: "source", message: "foreign keys" });
    await refuseOrphans(target);
    onProgress({ step: "source", message: "statistics" });
    await target.query("ANALYZE");
    await grantReading(target);
    return countRows(target);
  });
  const label: Label = { sample, users, tables };
  await client.query(`COMMENT ON DATABASE ${quoteIdentifier(building)} IS ${quoteLiteral(JSON.stringify(label))}`);
  return tables;
}

async function refuseOrphans(client: Client): Promise<void> {
  for (const key of await listForeignKeys(client)) {
    const { rowCount } = await client.query(`${orphansSql(key)} LIMIT 1`);
    if (rowCount === 0) continue;
    throw new UnderstudyError(`The sample's generator leaves orphans: ${key.name} of ${key.table} does not hold.`, {
      exitCode: exitCode.usage,
      remedy: "Correct the workload's source SQL.",
    });
  }
}

async function grantReading(client: Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT nspname::text AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",
  );
  const grants = rows.map((row) => quoteIdentifier(row.name)).map(
    (schema) => `REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC; GRANT USAGE ON SCHEMA ${schema} TO ${readerRole};
                 GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${readerRole};
                 GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${schema} TO ${readerRole}`,
  );
  await client.query(grants.join(";\n"));
}

/** What decides the sample's bytes: the size and every SQL file it is made with. */
async function fingerprint(workload: Workload, users: number): Promise<string> {
  const hash = createHash("sha256").update(`users ${users}\n`);
  for (const file of [...workload.manifest.database.schema, ...workload.manifest.source.generate]) {
    hash.update(await readFile(workload.path(file))).update("\0");
  }
  return hash.digest("hex");
}

async function labelOf(client: Client, database: string, url: string): Promise<Label | undefined> {
  if (!(await databaseExists(client, database))) return undefined;
  const { rows } = await client.query<{ comment: string | null }>(
    "SELECT shobj_description(oid, 'pg_database') AS comment FROM pg_database WHERE datname = $1",
    [database],
  );
  const label = parseLabel(rows[0]?.comment ?? "");
  if (label !== undefined) return label;
  throw new UnderstudyError(`${url} is there and is not a sample made by Understudy: it is not replaced.`, {
    exitCode: exitCode.usage,
    remedy: "Choose another database name for the sample, or configure this one as the source.",
  });
}

function parseLabel(comment: string): Label | undefined {
  try {
    const value: unknown = JSON.parse(comment);
    const isLabel = typeof value === "object" && value !== null && "sample" in value && "tables" in value;
    return isLabel ? (value as Label) : undefined;
  } catch {
    return undefined;
  }
}

async function finished(
  client: Client,
  source: Omit<SampleSource, "tables" | "sizeBytes">,
  tables: Record<string, number>,
): Promise<SampleSource> {
  const { rows } = await client.query<{ size: string }>("SELECT pg_database_size($1) AS size", [source.database]);
  return { ...source, tables, sizeBytes: Number(rows[0]?.size ?? 0) };
}

function adminOf(server: CreateSampleSource["server"], database: string): ConnectionSettings {
  return { host: server.host, port: server.port, database, user: stagingRoles.admin, password: server.adminPassword };
}
