import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { backupDatabase } from "../../../engine/backup/backup.ts";
import { rehearseMigrations } from "../../../engine/migration/rehearse.ts";
import type { RehearsalOptions } from "../../../engine/migration/rehearse.ts";
import { migrationReport } from "../../../engine/migration/report.ts";
import { silent } from "../../../engine/progress.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import type { StagingDatabase } from "../../../engine/staging/database.ts";
import { prepareStaging } from "../../../engine/staging/prepare.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";
import type { Workload } from "../../../engine/workload/manifest.ts";
import { startPostgres, withClient } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";
import { clonesLeft, stagingOn } from "./fixture.ts";

let server: TestServer;
let staging: StagingDatabase;
let workload: Workload;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-rehearsal-"));
  server = await startPostgres();
  workload = await loadWorkload("workloads/stories");
  staging = stagingOn(server, "staging_db");
  await prepareStaging({ staging, workload, stack: "local" });
  const generate = await readFile(workload.path(workload.manifest.source.generate[0] ?? ""), "utf8");
  await withClient(connectionOf(staging, "admin"), async (client) => {
    await client.query("SET understudy.source_users = 12");
    await client.query(generate);
  });
});
afterAll(async () => {
  await server.stop("immediate");
  await rm(folder, { recursive: true, force: true });
});

const rehearse = (options: Partial<RehearsalOptions> = {}) =>
  rehearseMigrations({ staging, workload, stack: "local", reportsFolder: folder, onProgress: silent, ...options });

const contents = () =>
  withClient(connectionOf(staging, "admin"), async (client) => {
    const { rows } = await client.query(`SELECT (SELECT md5(string_agg(u::text, '' ORDER BY "id")) FROM "User" u) AS users,
      (SELECT count(*)::int FROM staging_migrations.role_migration_log) AS log, (SELECT column_default FROM information_schema.columns WHERE table_name = 'User' AND column_name = 'role') AS role`);
    return rows[0] as unknown;
  });

test("LEARNER to CUSTOMER passes whole, while the application is connected; staging stays as it was but for the results", async () => {
  const before = await contents();
  const { file: backupFile } = await backupDatabase({ staging, stack: "local", folder });
  const application = new Pool({ ...connectionOf(staging, "app"), max: 3 });
  application.on("error", () => {});
  const asked: string[] = [];
  const timer = setInterval(() => {
    application.query('SELECT count(*) FROM "User"').then(
      () => asked.push("answered"),
      (error: { code?: string }) => asked.push(error.code ?? "connection ended"),
    );
  }, 20);
  const { report, files } = await rehearse({ backupFile, targetRows: 100_000 });
  clearInterval(timer);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await application.end();

  expect(report.checks.filter(({ status }) => status !== "passed").map(({ id, evidence }) => `${id}: ${evidence}`)).toEqual([]);
  expect(report.verdict).toBe("passed");
  expect(new Set(report.checks.map(({ category }) => category))).toEqual(new Set(["prerequisites", "logic", "integrity", "rollback", "performance", "edge-cases"]));
  expect(report.rates.migrations.rate).toBe(1);
  expect(report.rates.rollbacks.rate).toBe(1);
  expect(asked.filter((answer) => answer === "answered").length).toBeGreaterThan(10);

  expect(await contents()).toEqual(before);
  expect(await clonesLeft(server)).toEqual([]);
  const { rows } = await withClient(connectionOf(staging, "app"), (client) => client.query("SELECT check_id FROM staging_migrations.test_results WHERE run_id = $1 ORDER BY id", [report.runId]));
  expect(rows.map(({ check_id: id }) => id as unknown)).toEqual(report.checks.map(({ id }) => id));

  const [section] = report.migrations;
  expect(section?.statements.filter(({ direction }) => direction === "up").map(({ line, kind }) => [line, kind])).toEqual([
    [4, "VariableSetStmt"], [7, "CreateSchemaStmt"], [9, "CreateStmt"], [20, "AlterTableStmt"], [22, "DoStmt"],
  ]);
  expect(section?.locks).toContainEqual(expect.objectContaining({ run: "alone", direction: "up", relation: 'public."User"', mode: "ACCESS EXCLUSIVE", line: 20, source: "trace" }));
  expect(section?.traffic?.journal).toMatchObject({ lost: [], unreadable: [] });
  expect(section?.traffic?.journal.acknowledged).toBeGreaterThan(50);

  expect(migrationReport.parse(JSON.parse(await readFile(files.json, "utf8")))).toEqual(report);
  const page = await readFile(files.html, "utf8");
  expect(page).toContain("<svg");
  expect(page).toContain("can ship");
  expect(await readFile(files.junit ?? "", "utf8")).toContain("<testsuite");
});

test("--only runs what it names and reports the rest as skipped", async () => {
  const { report } = await rehearse({ only: ["logic.learners-became-customers"] });
  expect(report.checks.filter(({ status }) => status === "passed").map(({ id }) => id)).toEqual(["logic.learners-became-customers"]);
  expect(report.checks.filter(({ status }) => status !== "passed" && status !== "skipped")).toEqual([]);
});

test("--only and --skip refuse a name that stands for nothing, at once or once the checks are known", async () => {
  await expect(rehearse({ only: ["rolback"] })).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining("rolback") as string });
  await expect(rehearse({ only: ["logic"], skip: ["logic.rolls-counted"] })).rejects.toMatchObject({ exitCode: 2, remedy: expect.stringContaining("logic.role-counts") as string });
  expect(await clonesLeft(server)).toEqual([]);
});

test("a kept clone holds the migrated state under a name of its own", async () => {
  const { report } = await rehearse({ only: ["logic.up-applies"], keepClone: true });
  expect(report.keptClone).toMatch(/^staging_db_kept_/);
  const learners = await withClient(connectionOf(staging, "owner", report.keptClone), (client) => client.query(`SELECT FROM "User" WHERE "role" = 'LEARNER'`));
  expect(learners.rowCount).toBe(0);
  await withClient(server.admin(), (client) => client.query(`DROP DATABASE ${report.keptClone ?? ""}`));
});

test("interrupted, it says so and leaves no clone", async () => {
  const stop = new AbortController();
  const run = rehearse({ signal: stop.signal, onProgress: ({ message }) => message === "live traffic" && stop.abort() });
  await expect(run).rejects.toMatchObject({ exitCode: 130 });
  expect(await clonesLeft(server)).toEqual([]);
});

test("a database without staging's marker is refused before anything is made", async () => {
  await withClient(server.admin(), (client) => client.query("CREATE DATABASE unmarked"));
  await expect(rehearse({ staging: stagingOn(server, "unmarked") })).rejects.toMatchObject({ exitCode: 4 });
  expect(await clonesLeft(server)).toEqual([]);
});

test("without CUSTOMERs and other roles the prerequisites warn: a rollback could not show whom it leaves alone", async () => {
  await withClient(server.admin(), (client) => client.query("CREATE DATABASE learners_alone TEMPLATE staging_db OWNER staging_owner"));
  const alone = stagingOn(server, "learners_alone");
  await withClient(connectionOf(alone, "owner"), (client) => client.query(`UPDATE "User" SET "role" = 'LEARNER'`));
  const { report } = await rehearse({ staging: alone, only: ["prerequisites"] });
  const failed = report.checks.filter(({ status }) => status === "failed").map(({ id, severity }) => [id, severity]);
  expect(failed).toEqual([["prerequisites.customers-present", "warning"], ["prerequisites.other-roles-present", "warning"], ["prerequisites.backup", "warning"]]);
});

test("without LEARNERs the prerequisites fail and nothing passes vacuously", async () => {
  await withClient(server.admin(), (client) => client.query("CREATE DATABASE no_learners TEMPLATE staging_db OWNER staging_owner"));
  const empty = stagingOn(server, "no_learners");
  await withClient(connectionOf(empty, "owner"), (client) => client.query(`UPDATE "User" SET "role" = 'TEACHER' WHERE "role" = 'LEARNER'`));
  const { report } = await rehearse({ staging: empty, only: ["prerequisites.learners-present", "logic.learners-became-customers", "prerequisites.backup"], backupFile: join(folder, "none.sql.gz") });
  const status = (id: string) => report.checks.find((check) => check.id === id)?.status;
  expect(status("prerequisites.learners-present")).toBe("failed");
  expect(status("prerequisites.backup")).toBe("failed");
  expect(status("logic.learners-became-customers")).toBe("errored");
  expect(report.verdict).toBe("failed");
});
