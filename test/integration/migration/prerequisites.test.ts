import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { backupDatabase } from "../../../engine/backup/backup.ts";
import { rehearseMigrations } from "../../../engine/migration/rehearse.ts";
import type { CheckResult } from "../../../engine/report/check.ts";
import { silent } from "../../../engine/progress.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import { startPostgres, withClient } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";
import { caseWorkload, clonesLeft, prepareShop, stagingOn } from "./fixture.ts";

let server: TestServer;
let folder: string;
let backupFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-prerequisites-"));
  server = await startPostgres({ full_page_writes: "off" });
  await prepareShop(server);
  backupFile = (await backupDatabase({ staging: stagingOn(server, "shop"), stack: "local", folder })).file;
});
afterAll(async () => {
  await server.stop("immediate");
  await rm(folder, { recursive: true, force: true });
});

/** The prerequisites' results for one up file, after `plant` has changed staging; `undo` changes it back. */
async function prerequisites({ up = "ALTER TABLE customers ADD COLUMN nickname text;", expectations = "{}", backup = backupFile, plant = async () => {}, undo = async () => {} }: {
  readonly up?: string;
  readonly expectations?: string;
  readonly backup?: string;
  readonly plant?: (admin: Client) => Promise<unknown>;
  readonly undo?: (admin: Client) => Promise<unknown>;
}): Promise<Map<string, CheckResult>> {
  const place = await mkdtemp(join(folder, "case-"));
  await mkdir(join(place, "migrations"));
  await writeFile(join(place, "migrations", "0001_case.up.sql"), up);
  await writeFile(join(place, "migrations", "0001_case.down.sql"), "ALTER TABLE customers DROP COLUMN nickname;");
  await writeFile(join(place, "expectations.yaml"), expectations);
  const staging = stagingOn(server, "shop");
  await withClient(connectionOf(staging, "admin"), plant);
  try {
    const { report } = await rehearseMigrations({ staging, workload: caseWorkload(place), stack: "local", reportsFolder: folder, only: ["prerequisites"], backupFile: backup, onProgress: silent });
    return new Map(report.checks.filter(({ category }) => category === "prerequisites").map((check) => [check.id.replace("prerequisites.", ""), check]));
  } finally {
    await withClient(connectionOf(staging, "admin"), undo);
  }
}

test("healthy staging: every prerequisite is met, and the backup is restored for real", async () => {
  const found = await prerequisites({ expectations: "prerequisites: [{ id: customers-there, title: There are customers, sql: SELECT 1 WHERE NOT EXISTS (SELECT FROM customers) }]" });
  expect([...found.values()].filter(({ status }) => status !== "passed").map(({ id, evidence }) => `${id}: ${evidence}`)).toEqual([]);
  expect([...found.keys()]).toEqual(["server", "extensions", "privileges", "disk", "pending", "locks", "customers-there", "backup", "backup-restorable"]);
  expect(found.get("backup-restorable")?.evidence).toMatch(/Restored beside staging in .* \d+ rows, as many as were backed up/);
  expect(await clonesLeft(server)).toEqual([]);
});

test.each<[check: string, says: RegExp, fault: Parameters<typeof prerequisites>[0]]>([
  ["extensions", /creates nowhere_to_be_had, which the server does not have/, { up: "CREATE EXTENSION nowhere_to_be_had;" }],
  ["extensions", /creates file_fdw, which only a superuser may|creates file_fdw, which the server does not have/, { up: "CREATE EXTENSION file_fdw;" }],
  ["privileges", /does not own public\.customers/, { plant: (admin) => admin.query("ALTER TABLE customers OWNER TO understudy_admin"), undo: (admin) => admin.query("ALTER TABLE customers OWNER TO staging_owner") }],
  ["pending", /0001_case: applied/, { expectations: "migrations: { 0001_case: { appliedWhen: SELECT true } }" }],
  ["pending", /its state cannot be told: relation "nowhere" does not exist/, { expectations: "migrations: { 0001_case: { appliedWhen: SELECT true FROM nowhere } }" }],
  ["customers-there", /1 violation/, { expectations: "prerequisites: [{ id: customers-there, title: There are customers, sql: SELECT 1 }]" }],
])("%s is found: %s", async (check, says, fault) => {
  const found = await prerequisites(fault);
  expect(found.get(check)?.status).toBe("failed");
  expect(found.get(check)?.evidence).toMatch(says);
});

test("locks: a transaction that has sat on the table for seconds", async () => {
  const report = new Client(connectionOf(stagingOn(server, "shop"), "app"));
  report.on("error", () => {});
  await report.connect();
  await report.query("BEGIN; SELECT FROM customers LIMIT 1");
  await sleep(5_100);
  const found = await prerequisites({});
  await report.end().catch(() => {});
  expect(found.get("locks")).toMatchObject({ status: "failed", severity: "warning", evidence: expect.stringMatching(/staging_user has held a lock on public\.customers for \d+ s/) as string });
});

test("a backup that is missing, cut short, or whole and yet not restorable", async () => {
  const sql = gunzipSync(await readFile(backupFile)).toString();
  const file = async (name: string, content: Buffer): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };
  const missing = await prerequisites({ backup: join(folder, "none.sql.gz") });
  expect([missing.get("backup")?.status, missing.get("backup-restorable")?.status]).toEqual(["failed", "skipped"]);

  const whole = await readFile(backupFile);
  const short = await prerequisites({ backup: await file("short.sql.gz", whole.subarray(0, whole.length - 100)) });
  expect(short.get("backup")).toMatchObject({ status: "failed", evidence: expect.stringContaining("not whole") as string });

  const lacking = await prerequisites({ backup: await file("lacking.sql.gz", gzipSync(sql.replace(/^COPY public\.events_2026[^]*?\n\\\.\n/m, ""))) });
  expect(lacking.get("backup")?.status).toBe("passed");
  expect(lacking.get("backup-restorable")).toMatchObject({ status: "failed", evidence: expect.stringMatching(/events has 0 rows, expected 100/) as string });

  const broken = await file("broken.sql.gz", gzipSync(sql.replace(/^CREATE TABLE public\.orders/m, "CREATE TABEL public.orders")));
  const refused = await prerequisites({ backup: broken });
  expect(refused.get("backup-restorable")).toMatchObject({ status: "failed", evidence: expect.stringContaining("syntax error") as string });
  expect(await clonesLeft(server)).toEqual([]);
});
