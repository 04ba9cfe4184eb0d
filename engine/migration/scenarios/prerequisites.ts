import { statfs } from "node:fs/promises";
import type { Client } from "pg";
import { loadBackup } from "../../backup/restore.ts";
import { verifyBackup } from "../../backup/verify.ts";
import { messageOf } from "../../errors.ts";
import { interrupted, withSession } from "../../postgres/session.ts";
import { supportedMajors } from "../../postgres/programs.ts";
import { connectionOf, stagingRoles } from "../../staging/database.ts";
import type { StagingDatabase } from "../../staging/database.ts";
import { attempt, failed, noneOf, passed, Pointless, skipped } from "../board.ts";
import type { Board, CheckDefinition, Outcome } from "../board.ts";
import type { CloneSet } from "../clones/cloneSet.ts";
import { expectationsOf } from "../expectations.ts";
import type { Expectations } from "../expectations.ts";
import { definitionOf, evaluateRule } from "../rules.ts";
import { namedRelations } from "../source/scope.ts";
import type { Migration, MigrationState } from "../source/statement.ts";

const definitions = {
  server: { id: "prerequisites.server", title: "The server is a supported PostgreSQL that takes writes", remedy: "Use PostgreSQL 13 to 17, as primary." },
  extensions: { id: "prerequisites.extensions", title: "The server has the extensions that staging and the migrations ask for", remedy: "Install the extension's package on the server; one that is not trusted must be created by a superuser beforehand." },
  privileges: { id: "prerequisites.privileges", title: "The owner may do what the migration does", remedy: "Prepare staging again: it gives the owner every table and schema." },
  disk: { id: "prerequisites.disk", title: "There is disk space for the clones", remedy: "Free space on the server's disk." },
  pending: { id: "prerequisites.pending", title: "A migration is pending", remedy: "Refresh staging from production, or add the migration that is to be rehearsed." },
  locks: { id: "prerequisites.locks", title: "No long transaction sits on the tables concerned", severity: "warning", remedy: "End these sessions; in production the migration would wait for their like." },
  backup: { id: "prerequisites.backup", title: "A backup is there and can be read to its end", severity: "warning", remedy: "Run `understudy backup`." },
  restorable: { id: "prerequisites.backup-restorable", title: "The backup can be restored, with every row", severity: "warning", remedy: "Take a new backup (`understudy backup`), and find out what is wrong with this one." },
} satisfies Record<string, CheckDefinition>;

export interface Prerequisites {
  readonly staging: StagingDatabase;
  readonly stack: string;
  /** Where the backup is tried out. */
  readonly clones: CloneSet;
  readonly document: Expectations;
  readonly migrations: readonly Migration[];
  readonly backupFile: string | undefined;
  readonly board: Board;
  readonly signal: AbortSignal | undefined;
}

/** Looks at staging itself, read only. Returns the migrations that staging does not have yet. */
export async function runPrerequisites(options: Prerequisites): Promise<Migration[]> {
  const { staging, document, migrations, board, signal } = options;
  const session = { applicationName: "understudy rehearsal", readOnly: true, statementTimeoutMs: 60_000, signal };
  let pending: Migration[] = [];
  await withSession(connectionOf(staging, "admin"), session, async (client) => {
    const states = await statesOf(client, document, migrations);
    pending = migrations.filter((_, index) => states[index] !== "applied");
    await board.check(definitions.server, () => server(client));
    await board.check(definitions.extensions, () => extensions(client, migrations));
    await board.check(definitions.privileges, () => privileges(client, migrations));
    await board.check(definitions.disk, () => disk(client));
    await board.check(definitions.pending, () => pendingOutcome(migrations, states));
    await board.check(definitions.locks, () => longTransactions(client, migrations));
  });
  await withSession(connectionOf(staging, "owner"), session, async (owner) => {
    for (const rule of document.prerequisites) {
      await board.check(definitionOf("prerequisites", rule), () => attempt(() => evaluateRule(owner, rule)));
    }
  });
  await settleBackup(options);
  return pending;
}

type State = MigrationState;

async function statesOf(client: Client, document: Expectations, migrations: readonly Migration[]): Promise<State[]> {
  const states: State[] = [];
  for (const { name, stateOn } of migrations) {
    const { appliedWhen } = expectationsOf(document, name);
    if (appliedWhen === undefined && stateOn !== undefined) states.push(await stateOn(client).catch((error: unknown): State => ({ problem: messageOf(error) })));
    else if (appliedWhen === undefined) states.push("not declared");
    else {
      const asked = client.query<unknown[]>({ text: appliedWhen, rowMode: "array" });
      states.push(await asked.then(({ rows }): State => (rows[0]?.[0] === true ? "applied" : "pending"), (error: unknown): State => ({ problem: messageOf(error) })));
    }
  }
  return states;
}

function pendingOutcome(migrations: readonly Migration[], states: readonly State[]): Outcome {
  const words = migrations.map(({ name }, index) => {
    const state = states[index] ?? "not declared";
    return `${name}: ${typeof state === "object" ? `its state cannot be told: ${state.problem}` : state === "not declared" ? "taken as pending (no appliedWhen)" : state}`;
  });
  if (states.some((state) => typeof state === "object")) return failed(words.join("\n"));
  const late = states.lastIndexOf("applied") > states.indexOf("pending") && states.includes("pending");
  if (late) return failed(`Applied out of order.\n${words.join("\n")}`);
  return states.every((state) => state === "applied") ? failed(words.join("\n")) : passed(words.join("\n"));
}

async function server(client: Client): Promise<Outcome> {
  const { rows } = await client.query<{ version: string; number: string; recovery: boolean }>(
    "SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS number, pg_is_in_recovery() AS recovery",
  );
  const major = Math.floor(Number(rows[0]?.number ?? 0) / 10_000);
  const known = supportedMajors.some((supported) => supported === major);
  return known && rows[0]?.recovery === false ? passed(`PostgreSQL ${rows[0].version}.`) : failed(`PostgreSQL ${rows[0]?.version ?? "unknown"}${rows[0]?.recovery === true ? ", a standby" : ""}.`);
}

interface ExtensionState {
  readonly name: string;
  readonly installed: boolean;
  readonly available: boolean;
  readonly creatable: boolean;
}

/** What is installed must be on the server, or a restore fails; what a migration creates must be there, and the owner allowed to. */
async function extensions(client: Client, migrations: readonly Migration[]): Promise<Outcome> {
  const wanted = [...new Set(migrations.flatMap(({ up }) => up.statements.flatMap(({ node }) => ("CreateExtensionStmt" in node ? [node.CreateExtensionStmt.extname ?? ""] : []))))];
  const { rows } = await client.query<ExtensionState>(
    `SELECT name, installed.oid IS NOT NULL AS installed, available.name IS NOT NULL AS available,
            coalesce((SELECT bool_or(trusted OR NOT superuser) FROM pg_available_extension_versions WHERE pg_available_extension_versions.name = asked.name), false)
              OR (SELECT rolsuper FROM pg_roles WHERE rolname = $2) AS creatable
       FROM (SELECT extname::text AS name FROM pg_extension UNION SELECT unnest($1::text[])) AS asked(name)
       LEFT JOIN pg_extension installed ON installed.extname = asked.name
       LEFT JOIN pg_available_extensions available USING (name) ORDER BY name`,
    [wanted, stagingRoles.owner],
  );
  const lacking = rows.flatMap(({ name, installed, available, creatable }) => {
    if (!available) return [installed ? `${name} is installed in staging, and its files are gone from the server` : `a migration creates ${name}, which the server does not have`];
    return installed || creatable ? [] : [`a migration creates ${name}, which only a superuser may`];
  });
  const names = rows.filter(({ installed }) => installed).map(({ name }) => name).join(", ");
  return noneOf(lacking, `${names === "" ? "None" : names} installed; ${wanted.length === 0 ? "the migrations create none" : `the migrations create ${wanted.join(", ")}`}.`);
}

async function privileges(client: Client, migrations: readonly Migration[]): Promise<Outcome> {
  const named = [...new Set(migrations.flatMap(({ up, down }) => [...namedRelations(up), ...(down === undefined ? [] : namedRelations(down))]))];
  const { rows } = await client.query<{ name: string; owned: boolean }>(
    `SELECT named.name, pg_has_role($2, c.relowner, 'USAGE') AS owned
       FROM unnest($1::text[]) AS named(name) JOIN pg_class c ON c.oid = to_regclass(named.name)`,
    [named, stagingRoles.owner],
  );
  const { rows: database } = await client.query<{ create: boolean }>("SELECT has_database_privilege($1, current_database(), 'CREATE') AS create", [stagingRoles.owner]);
  const lacking = rows.filter(({ owned }) => !owned).map(({ name }) => `${stagingRoles.owner} does not own ${name}`);
  return noneOf(database[0]?.create === true ? lacking : [...lacking, `${stagingRoles.owner} may not create schemas`], `${stagingRoles.owner} owns the ${rows.length} relations named.`);
}

async function disk(client: Client): Promise<Outcome> {
  const { rows } = await client.query<{ folder: string; size: string }>("SELECT current_setting('data_directory') AS folder, pg_database_size(current_database())::text AS size");
  const sizeBytes = Number(rows[0]?.size ?? 0);
  const files = await statfs(rows[0]?.folder ?? "").catch(() => undefined);
  if (files === undefined) return skipped("The server's data folder is not on this machine.");
  const freeBytes = files.bavail * files.bsize;
  const evidence = `Database ${megabytes(sizeBytes)}, free ${megabytes(freeBytes)}; at most four copies exist at once.`;
  return freeBytes > 4 * sizeBytes + 64 * 1_048_576 ? passed(evidence) : failed(evidence);
}

/** Some twenty seconds of psql. */
const mostRestoredBytes = 256 * 1_048_576;

const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(0)} MB`;

async function longTransactions(client: Client, migrations: readonly Migration[]): Promise<Outcome> {
  const named = [...new Set(migrations.flatMap(({ up }) => [...namedRelations(up)]))];
  const { rows } = await client.query<{ who: string; seconds: number; relation: string }>(
    `SELECT coalesce(nullif(a.application_name, ''), a.usename) AS who, extract(epoch FROM now() - a.xact_start)::int AS seconds, named.name AS relation
       FROM unnest($1::text[]) AS named(name) JOIN pg_locks l ON l.relation = to_regclass(named.name)
       JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE a.datname = current_database() AND a.xact_start < now() - interval '5 seconds'`,
    [named],
  );
  return noneOf(rows.map(({ who, seconds, relation }) => `${who} has held a lock on ${relation} for ${seconds} s`), "No transaction older than 5 s holds a lock there.");
}

/** Reads the backup to its end, then restores it into a database that is dropped afterwards. */
async function settleBackup({ staging, stack, clones, backupFile, board, signal }: Prerequisites): Promise<void> {
  await board.group([definitions.backup, definitions.restorable], async (settle) => {
    if (backupFile === undefined || backupFile === "") {
      settle(definitions.backup.id, failed("No backup was named."));
      throw new Pointless("Needs prerequisites.backup, which failed.");
    }
    const backup = await verifyBackup(backupFile, { signal }).catch((error: unknown) => messageOf(error));
    if (signal?.aborted === true) throw interrupted("The migration rehearsal");
    if (typeof backup === "string") {
      settle(definitions.backup.id, failed(backup));
      throw new Pointless("Needs prerequisites.backup, which failed.");
    }
    settle(definitions.backup.id, passed(`${backupFile}: ${megabytes(backup.sqlBytes)} of SQL, whole${backup.trailer === undefined ? "" : `, taken ${backup.trailer.takenAt}`}.`));
    if (!board.wants(definitions.restorable.id)) return;
    if (backup.sqlBytes > mostRestoredBytes) {
      return settle(definitions.restorable.id, skipped(`${megabytes(backup.sqlBytes)} of SQL: too much to restore beside a rehearsal (at most ${megabytes(mostRestoredBytes)}). Restore it once with \`understudy restore\`.`));
    }
    const startedAt = performance.now();
    const scratch = await clones.empty();
    try {
      const tables = Object.values(await loadBackup({ staging, stack, backup, into: scratch, signal }));
      const rows = tables.reduce((sum, count) => sum + count, 0);
      settle(definitions.restorable.id, passed(`Restored beside staging in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s: ${tables.length} tables, ${rows} rows${backup.trailer === undefined ? "" : ", as many as were backed up"}.`));
    } catch (error) {
      settle(definitions.restorable.id, failed(messageOf(error)));
    } finally {
      await clones.drop(scratch);
    }
  }, { signal });
}
