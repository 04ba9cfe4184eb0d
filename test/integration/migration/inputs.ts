import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { rehearseMigrations } from "../../../engine/migration/rehearse.ts";
import type { RehearsalOptions } from "../../../engine/migration/rehearse.ts";
import type { MigrationReport } from "../../../engine/migration/report.ts";
import { silent } from "../../../engine/progress.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import type { Workload } from "../../../engine/workload/manifest.ts";
import { withClient } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";
import { caseWorkload, stagingOn } from "./fixture.ts";

export type Command = NonNullable<Workload["manifest"]["migrations"]["command"]>;

export interface ShopCase {
  readonly name: string;
  /** By path in the workload's folder; `expectations.yaml` is `{}` when it is not among them. */
  readonly files: Readonly<Record<string, string>>;
  /** Run on staging as its owner before the rehearsal. */
  readonly setup?: string;
  readonly command?: Partial<Command> & Pick<Command, "up">;
}

/** Writes a workload on the shop into `folder` and rehearses it on a copy of the shop of its own. */
export async function rehearseShop(server: TestServer, folder: string, { name, files, setup, command }: ShopCase, options: Partial<RehearsalOptions> = {}): Promise<MigrationReport> {
  const home = join(folder, name);
  for (const [path, text] of Object.entries({ "expectations.yaml": "{}", "migrations/.keep": "", ...files })) {
    await mkdir(dirname(join(home, path)), { recursive: true });
    await writeFile(join(home, path), text);
  }
  const database = `shop_${name.replaceAll("-", "_")}`;
  const staging = stagingOn(server, database);
  await withClient(server.admin(), async (client) => {
    await client.query(`DROP DATABASE IF EXISTS ${database}`);
    await client.query(`CREATE DATABASE ${database} TEMPLATE shop OWNER staging_owner`);
  });
  if (setup !== undefined) await withClient(connectionOf(staging, "owner"), (client) => client.query(setup));
  const plain = caseWorkload(home);
  const migrations = { ...plain.manifest.migrations, ...(command === undefined ? {} : { command: { name: "pending", environment: {}, ...command } }) };
  const { report } = await rehearseMigrations({
    staging,
    workload: { ...plain, manifest: { ...plain.manifest, migrations } },
    stack: "local",
    reportsFolder: folder,
    onProgress: silent,
    ...options,
  });
  return report;
}

/** Checks of severity error that did not pass or be skipped, in words. */
export function wrongIn(report: MigrationReport): string[] {
  return report.checks.filter(({ status, severity }) => status === "errored" || (status === "failed" && severity === "error")).map(({ id, status, evidence }) => `${id} ${status}: ${evidence}`);
}

export function checkOf(report: MigrationReport, id: string): { readonly status: string; readonly evidence: string } {
  const found = report.checks.find((check) => check.id === id);
  return { status: found?.status ?? "not there", evidence: found?.evidence ?? "" };
}
