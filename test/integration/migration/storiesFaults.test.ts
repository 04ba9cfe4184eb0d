import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rehearseMigrations } from "../../../engine/migration/rehearse.ts";
import { silent } from "../../../engine/progress.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import type { StagingDatabase } from "../../../engine/staging/database.ts";
import { prepareStaging } from "../../../engine/staging/prepare.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";
import type { Workload } from "../../../engine/workload/manifest.ts";
import { startPostgres, withClient } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";
import { stagingOn } from "./fixture.ts";

let server: TestServer;
let staging: StagingDatabase;
let workload: Workload;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-stories-faults-"));
  server = await startPostgres({ full_page_writes: "off" });
  workload = await loadWorkload("workloads/stories");
  staging = stagingOn(server, "staging_db");
  await prepareStaging({ staging, workload, stack: "local" });
  const generate = await readFile(workload.path(workload.manifest.source.generate[0] ?? ""), "utf8");
  await withClient(connectionOf(staging, "admin"), async (client) => {
    await client.query("SET understudy.source_users = 60");
    await client.query(generate);
  });
});
afterAll(async () => {
  await server.stop("immediate");
  await rm(folder, { recursive: true, force: true });
});

type Direction = "up" | "down";
type Edit = readonly [direction: Direction, replace: (sql: string) => string];

/** The workload with its migration edited; an edit that changes nothing is an error of the test. */
async function edited(edits: readonly Edit[]): Promise<Workload> {
  const place = await mkdtemp(join(folder, "edited-"));
  const { folder: migrations, expectations } = workload.manifest.migrations;
  await cp(workload.path(migrations), place, { recursive: true });
  for (const [direction, replace] of edits) {
    const file = join(place, `0001_learner_to_customer.${direction}.sql`);
    const sql = await readFile(file, "utf8");
    const changed = replace(sql);
    if (changed === sql) throw new Error(`the edit of ${direction} changes nothing`);
    await writeFile(file, changed);
  }
  return { ...workload, path: (relative) => (relative === migrations ? place : relative === expectations ? join(place, "expectations.yaml") : workload.path(relative)) };
}

const swap = (direction: Direction, from: string, to: string): Edit => [direction, (sql) => sql.replaceAll(from, to)];
const append = (direction: Direction, statement: string): Edit => [direction, (sql) => `${sql}\n${statement}\n`];

const faults: readonly (readonly [what: string, finds: readonly string[], ...edits: readonly Edit[]])[] = [
  ["some LEARNERs are skipped", ["logic.no-learner-left", "logic.learners-became-customers", "logic.role-counts", "edge-cases.awkward-converted"], swap("up", `WHERE "role" = 'LEARNER' AND "id" > last_id`, `WHERE "role" = 'LEARNER' AND "id" > last_id AND "email" = lower("email") AND "name" IS NOT NULL AND "email" NOT LIKE '%1@%'`)],
  ["LEARNERs become TEACHERs", ["logic.learners-became-customers", "logic.role-counts"], swap("up", `SET "role" = 'CUSTOMER' FROM`, `SET "role" = 'TEACHER' FROM`)],
  ["volunteers are converted too", ["logic.other-roles-untouched", "logic.role-counts", "logic.log-one-row-per-user"], swap("up", `"role" = 'LEARNER'`, `"role" IN ('LEARNER', 'VOLUNTEER')`)],
  ["nothing is noted down", ["logic.log-one-row-per-user", "edge-cases.awkward-logged-once", "rollback.roles-restored", "rollback.converted-turn-back", "edge-cases.awkward-turned-back"], swap("up", "'CUSTOMER' FROM changed", "'CUSTOMER' FROM changed WHERE false")],
  ["new users stay LEARNERs", ["logic.new-users-are-customers"], swap("up", `SET DEFAULT 'CUSTOMER'`, `SET DEFAULT 'LEARNER'`)],
  ["a role may be NULL from now on", ["edge-cases.null-and-unknown-roles-refused"], append("up", `ALTER TABLE "User" ALTER COLUMN "role" DROP NOT NULL;`)],
  ["rows of a user with many are cut", ["edge-cases.thousands-of-rows-kept"], append("up", `DELETE FROM "UserStory" WHERE "progress" = 50;`)],
  ["a change of role at the same moment is overwritten", ["edge-cases.concurrent-change-wins"], swap("up", `"User"."id" = batch."id" AND "User"."role" = 'LEARNER'`, `"User"."id" = batch."id"`)],
  ["whoever becomes a LEARNER meanwhile stays one", ["edge-cases.concurrent-learner-converted"], swap("up", "EXIT WHEN converted = 0;", "EXIT;")],
  ["down turns back whoever is CUSTOMER", ["rollback.roles-restored", "rollback.earlier-customers-stay", "rollback.later-customers-stay", "rollback.rows-restored"], append("down", `UPDATE "User" SET "role" = 'LEARNER' WHERE "role" = 'CUSTOMER';`)],
  ["down turns back whoever has another role by now", ["rollback.later-roles-stay"], swap("down", ` AND "User"."role" = 'CUSTOMER'`, "")],
  ["down leaves notes", ["rollback.log-emptied", "rollback.rows-restored"], append("down", `INSERT INTO staging_migrations.role_migration_log (migration, user_id, old_role, new_role) SELECT '0001_learner_to_customer', "id", 'LEARNER', 'CUSTOMER' FROM "User" LIMIT 1;`)],
  ["down brings back who was deleted", ["rollback.deleted-stay-deleted"], append("down", `INSERT INTO "User" ("email", "role") VALUES ('gone@staging.local', 'LEARNER');`)],
];

test("every rule of LEARNER to CUSTOMER finds its fault, and the migration as it is gives none of them", { timeout: 240_000 }, async () => {
  const rehearse = async (only: readonly string[], edits: readonly Edit[]) => {
    const { report } = await rehearseMigrations({ staging, workload: edits.length === 0 ? workload : await edited(edits), stack: "local", reportsFolder: folder, onProgress: silent, only });
    return new Map(report.checks.map((check) => [check.id, check]));
  };
  const missed: string[] = [];
  for (const [what, finds, ...edits] of faults) {
    const found = await rehearse(finds, edits);
    missed.push(...finds.filter((id) => found.get(id)?.status !== "failed").map((id) => `${what}: ${id} ${found.get(id)?.status ?? "is not there"}: ${found.get(id)?.evidence ?? ""}`));
  }
  const all = [...new Set(faults.flatMap(([, finds]) => finds))];
  const alarms = [...(await rehearse(all, [])).values()].filter(({ id, status }) => all.includes(id) && status !== "passed").map(({ id, evidence }) => `${id}: ${evidence}`);
  console.log(`found ${faults.length - new Set(missed.map((line) => line.split(":", 1)[0])).size} / planted ${faults.length}, false alarms ${alarms.length}`);
  expect({ missed, alarms }).toEqual({ missed: [], alarms: [] });
});
