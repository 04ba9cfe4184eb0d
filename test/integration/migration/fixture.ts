import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { rehearseMigrations } from "../../../engine/migration/rehearse.ts";
import type { RehearsalOptions } from "../../../engine/migration/rehearse.ts";
import type { MigrationReport } from "../../../engine/migration/report.ts";
import { silent } from "../../../engine/progress.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import type { StagingDatabase } from "../../../engine/staging/database.ts";
import { prepareStaging } from "../../../engine/staging/prepare.ts";
import type { Workload } from "../../../engine/workload/manifest.ts";
import { withClient } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";

export const fixtures = resolve("test/fixtures/migrations");
const stack = "local";

/** A workload of one case folder; schema, staging SQL and integrity rules are shared by all. */
export function caseWorkload(folder: string): Workload {
  const inFixtures = ["schema.sql", "staging.sql", "integrity.yaml"];
  return {
    folder,
    path: (relative) => join(inFixtures.includes(relative) ? fixtures : folder, relative),
    manifest: {
      name: "shop",
      title: "Shop",
      database: { schema: ["schema.sql"], staging: ["staging.sql"] },
      source: { generate: ["schema.sql"] },
      copy: { subset: "none", masking: "none" },
      migrations: { folder: "migrations", expectations: "expectations.yaml" },
      integrity: "integrity.yaml",
      app: { entry: "none", healthPath: "/", metricsPath: "/", environment: {} },
      proxy: { static: "none" },
      monitoring: { rules: "none", ruleTests: "none", dashboards: "none" },
      validation: "none",
    },
  };
}

export function stagingOn(server: TestServer, database: string): StagingDatabase {
  return { host: server.host, port: server.port, database, passwords: { admin: server.adminPassword, owner: "owner", app: "app", readOnly: "reader" } };
}

/** Makes the shop's staging database once; cases copy it. */
export async function prepareShop(server: TestServer): Promise<void> {
  await prepareStaging({ staging: stagingOn(server, "shop"), workload: caseWorkload(fixtures), stack });
}

/** Rehearses one case on a copy of the shop of its own. */
export async function rehearseCase(server: TestServer, folder: string, reportsFolder: string, options: Partial<RehearsalOptions> = {}): Promise<MigrationReport> {
  const database = `case_${folder.split("/").at(-1)?.replaceAll("-", "_") ?? ""}`;
  const staging = stagingOn(server, database);
  await withClient(server.admin(), (client) => client.query(`CREATE DATABASE ${database} TEMPLATE shop OWNER staging_owner`));
  const setup = await readFile(join(folder, "setup.sql"), "utf8").catch(() => "");
  if (setup !== "") await withClient(connectionOf(staging, "owner"), (client) => client.query(setup));
  const own = JSON.parse(await readFile(join(folder, "options.json"), "utf8").catch(() => "{}")) as Partial<RehearsalOptions>;
  const { report } = await rehearseMigrations({ staging, workload: caseWorkload(folder), stack, reportsFolder, onProgress: silent, ...own, ...options });
  return report;
}

/** Databases on the server that a rehearsal made. */
export async function clonesLeft(server: TestServer): Promise<string[]> {
  const { rows } = await withClient(server.admin(), (client) => client.query<{ name: string }>("SELECT datname::text AS name FROM pg_database WHERE datname LIKE '%\\_rehearsal\\_%' ORDER BY 1"));
  return rows.map(({ name }) => name);
}
