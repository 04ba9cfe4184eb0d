import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { CopyOptions } from "../../engine/copy/copy.ts";
import type { ConnectionSettings } from "../../engine/postgres/connection.ts";
import { connectionOf } from "../../engine/staging/database.ts";
import type { StagingDatabase } from "../../engine/staging/database.ts";
import { prepareStaging } from "../../engine/staging/prepare.ts";
import { loadWorkload } from "../../engine/workload/manifest.ts";
import type { Workload } from "../../engine/workload/manifest.ts";
import { startPostgres, withClient } from "./postgres.ts";
import type { TestServer } from "./postgres.ts";

export const maskingKey = "a-secret-of-this-stack-0001";

/** Two servers: one holds a production database and its reader, the other a prepared staging database. */
export interface CopyWorld {
  readonly production: TestServer;
  readonly target: TestServer;
  readonly staging: StagingDatabase;
  readonly reports: string;
  /** Rows of one query on the production database, as superuser. */
  askSource(sql: string): Promise<Record<string, unknown>[]>;
  /** Rows of one query on staging's database (or another of its server), as superuser. */
  askStaging(sql: string, database?: string): Promise<Record<string, unknown>[]>;
  /** Names of the staging server's databases that a copy may have made. */
  databases(): Promise<string[]>;
  /** Options of a copy with these policies; missing ones are the workload's own. */
  options(policies?: { readonly subset?: unknown; readonly masking?: unknown }, changes?: Partial<CopyOptions>): Promise<CopyOptions>;
  stop(): Promise<void>;
}

export const databaseOfProduction = "production";

/** With their parameters, into `data/log/statements.log`. */
const everyStatementLogged = {
  log_statement: "all",
  log_min_duration_statement: "0",
  log_connections: "on",
  logging_collector: "on",
  log_directory: "log",
  log_filename: "statements.log",
};

/**
 * @param fill makes the production database's contents, as superuser
 * @param binaries folders of other versions' programs
 */
export async function startCopyWorld(
  fill: (settings: ConnectionSettings) => Promise<void>,
  workloadFolder = "workloads/stories",
  binaries: { readonly production?: string; readonly target?: string } = {},
): Promise<CopyWorld> {
  const [production, target] = await Promise.all([startPostgres(everyStatementLogged, binaries.production), startPostgres({}, binaries.target)]);
  const folder = await mkdtemp(join(tmpdir(), "understudy-copy-test-"));
  const stories = await loadWorkload(workloadFolder);
  const passwords = { admin: target.adminPassword, owner: "owner-secret", app: "app-secret", readOnly: "readonly-secret" };
  const staging: StagingDatabase = { host: target.host, port: target.port, database: "staging_db", passwords };
  await prepareStaging({ staging, workload: stories, stack: "test" });
  await withClient(production.admin(), async (client) => {
    await client.query(`CREATE DATABASE ${databaseOfProduction}`);
    await client.query("CREATE ROLE reader LOGIN PASSWORD 'reader-secret'");
  });
  await fill(production.admin(databaseOfProduction));
  await withClient(production.admin(databaseOfProduction), async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "SELECT quote_ident(nspname) AS name FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",
    );
    for (const { name } of rows) {
      await client.query(`GRANT USAGE ON SCHEMA ${name} TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA ${name} TO reader;
                          GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${name} TO reader`);
    }
    await client.query("ANALYZE");
  });
  const source: ConnectionSettings = { ...production.admin(databaseOfProduction), user: "reader", password: "reader-secret" };
  let policies = 0;

  return {
    production,
    target,
    staging,
    reports: join(folder, "reports"),
    askSource: (sql) => withClient(production.admin(databaseOfProduction), async (client) => (await client.query<Record<string, unknown>>(sql)).rows),
    askStaging: (sql, database) =>
      withClient(connectionOf(staging, "admin", database), async (client) => (await client.query<Record<string, unknown>>(sql)).rows),
    databases: () =>
      withClient(target.admin(), async (client) => {
        const { rows } = await client.query<{ name: string }>("SELECT datname::text AS name FROM pg_database WHERE datname LIKE 'staging%' ORDER BY 1");
        return rows.map(({ name }) => name);
      }),
    options: async ({ subset, masking } = {}, changes = {}) => {
      const own = join(folder, `policies-${(policies += 1)}`);
      await mkdir(own);
      const place = async (name: string, content: unknown, original: string): Promise<string> => {
        if (content === undefined) return original;
        await writeFile(join(own, name), stringify(content));
        return join(own, name);
      };
      const files = {
        subset: await place("subset.yaml", subset, stories.path(stories.manifest.copy.subset)),
        masking: await place("masking.yaml", masking, stories.path(stories.manifest.copy.masking)),
      };
      const workload: Workload = {
        ...stories,
        path: (relative) =>
          relative === stories.manifest.copy.subset ? files.subset : relative === stories.manifest.copy.masking ? files.masking : stories.path(relative),
      };
      return {
        source,
        staging,
        workload,
        stack: "test",
        maskingKey,
        reportsFolder: join(folder, "reports"),
        onProgress: () => {},
        ...changes,
      };
    },
    stop: async () => {
      await Promise.all([production.stop("immediate"), target.stop("immediate")]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Production as the stories workload's generator makes it. */
export function fillWithStories(users: number): (settings: ConnectionSettings) => Promise<void> {
  return async (settings) => {
    const workload = await loadWorkload("workloads/stories");
    await withClient(settings, async (client) => {
      await client.query("SELECT set_config('understudy.source_users', $1, false)", [String(users)]);
      for (const file of [...workload.manifest.database.schema, ...workload.manifest.source.generate]) {
        await client.query(await readFile(workload.path(file), "utf8"));
      }
    });
  };
}
