import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyData } from "../../../engine/copy/copy.ts";
import type { CopyOptions } from "../../../engine/copy/copy.ts";
import { openSource } from "../../../engine/copy/sourceSession.ts";
import type { MaskingPolicy } from "../../../engine/masking/policy.ts";
import { postgresProgram } from "../../../engine/postgres/programs.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import { tableChecksums } from "../../support/checksums.ts";
import { fillWithStories, startCopyWorld } from "../../support/copyWorld.ts";
import type { CopyWorld } from "../../support/copyWorld.ts";

let world: CopyWorld;
let psql: string;
let masking: MaskingPolicy;

beforeAll(async () => {
  world = await startCopyWorld(fillWithStories(150));
  psql = await postgresProgram("psql");
  masking = parse(await readFile("workloads/stories/copy/masking.yaml", "utf8")) as MaskingPolicy;
});
afterAll(() => world.stop());

/** Runs SQL on the database that is being filled, at once, when the copy comes to a stage. */
const plantAt =
  (stage: string, sql: string): CopyOptions["onProgress"] =>
  ({ message }) => {
    if (message !== stage) return;
    const { host, port, user, password } = connectionOf(world.staging, "admin");
    execFileSync(psql, ["-qX", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", String(port), "-U", user, "-d", "staging_db_next", "-c", sql], {
      env: { PGPASSWORD: password },
    });
  };

async function statusesWith(stage: string, sql: string): Promise<{ failed: string[]; evidence: string; switched: boolean }> {
  const { report } = await copyData(await world.options({}, { onProgress: plantAt(stage, sql) }));
  const failed = report.checks.filter(({ status }) => status !== "passed");
  expect(report.verdict).toBe(failed.some(({ severity }) => severity === "error") ? "failed" : "passed");
  return { failed: failed.map(({ id, status }) => `${id} ${status}`), evidence: failed.map(({ evidence }) => evidence).join("; "), switched: report.switched };
}

/** An original of a chosen row, which only a superuser of production can know. */
const original = async (expression: string): Promise<string> => {
  const [row] = await world.askStaging(`SELECT "id" FROM "User" ORDER BY "id"`);
  const ids = (await world.askStaging(`SELECT quote_literal("id") AS id FROM "User"`)).map(({ id }) => String(id)).join(",");
  expect(row).toBeDefined();
  const [found] = await world.askSource(`SELECT ${expression} AS value FROM "User" WHERE "id" IN (${ids}) AND length(${expression}) > 12 ORDER BY "id" LIMIT 1`);
  return String(found?.["value"]);
};

describe.sequential("every check of a copy", () => {
  test("is silent on a healthy copy", async () => {
    expect(await statusesWith("verify", "SELECT 1")).toEqual({ failed: [], evidence: "", switched: true });
  });

  test.each([
    ["copy.checksums", "a row lost", `DELETE FROM "UserStory" WHERE ctid = (SELECT min(ctid) FROM "UserStory")`, /UserStory: \d+ rows sent, \d+ there/],
    ["copy.checksums", "a kept value changed", `UPDATE "Story" SET "title" = "title" || '.' WHERE "id" = (SELECT min("id"::text)::uuid FROM "Story")`, /Story: kept columns differ/],
    ["copy.orphans", "an orphan", `ALTER TABLE "Order" DROP CONSTRAINT "Order_storyId_fkey"; ALTER TABLE "Order" ADD CONSTRAINT "Order_storyId_fkey" FOREIGN KEY ("storyId") REFERENCES "Story" ON DELETE SET NULL NOT VALID;
      SET session_replication_role = replica; UPDATE "Order" SET "storyId" = gen_random_uuid() WHERE "id" = (SELECT min("id") FROM "Order")`, /Order\(storyId\): 1 orphan/],
    ["copy.constraints", "an index missing", `ALTER TABLE "User" DROP CONSTRAINT "User_email_key"`, /User_email_key is missing/],
    ["copy.constraints", "a constraint not validated", `ALTER TABLE "Order" DROP CONSTRAINT "Order_userId_fkey"; ALTER TABLE "Order" ADD CONSTRAINT "Order_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" NOT VALID`, /Order_userId_fkey is not valid/],
    ["copy.sequences", "a sequence reset", `SELECT setval('"Order_id_seq"', 1, false)`, /Order_id_seq is at 1/],
    ["copy.privileges", "a privilege lost", `REVOKE INSERT ON "Order" FROM staging_user`, /Order: not staging_user's to use/],
  ])("%s finds %s", async (id, _, sql, evidence) => {
    const before = await tableChecksums(connectionOf(world.staging, "admin"));
    const found = await statusesWith("verify", sql);
    expect(found.failed).toContain(`${id} failed`);
    expect(found.evidence).toMatch(evidence);
    expect(found.switched).toBe(false);
    expect(await tableChecksums(connectionOf(world.staging, "admin"))).toEqual(before);
    expect(await world.databases()).toEqual(["staging_db", "staging_db_previous"]);
  });

  test("copy.limits warns of more users than asked for", async () => {
    const subset = { version: 1, roots: [{ table: "User" }], cut: ["Donation(userId)"] };
    const { report } = await copyData(await world.options({ subset }));
    expect(report.checks.find(({ id }) => id === "copy.limits")).toMatchObject({ status: "failed", severity: "warning", evidence: expect.stringMatching(/^User: \d+ of at most 10$/) });
    expect(report.verdict).toBe("passed");
  });

  test("a check that cannot run is errored, and the copy is not switched in", async () => {
    const found = await statusesWith("verify", `ALTER TABLE "Donation" RENAME TO "Donations"`);
    expect(found.failed).toContain("copy.checksums errored");
    expect(found.switched).toBe(false);
  });

  test.each([
    ["an email", `"email"`, (value: string) => `UPDATE "Story" SET "title" = 'Thanks to ${value}!'`, ["copy.leak-scan failed", "copy.email-domain failed"]],
    ["a password hash in JSON", `"passwordHash"`, (value: string) => `UPDATE "User" SET "preferences" = jsonb_build_object('deep', jsonb_build_array('${value}'))`, ["copy.leak-scan failed"]],
    ["a name in an array", `"name"`, (value: string) => `UPDATE "Story" SET "tags" = ARRAY['by', '${value.replaceAll("'", "''")}']`, ["copy.leak-scan failed"]],
    ["a free text in a log", `"bio"`, (value: string) => `INSERT INTO staging_logs.init_log (event, detail) VALUES ('x', to_jsonb('${value.replaceAll("'", "''")}'::text))`, ["copy.leak-scan failed"]],
  ])("the leak scan finds %s", async (_, expression, sql, expected) => {
    const value = await original(expression);
    const found = await statusesWith("scan for leaks", sql(value.trim()));
    expect(found.failed).toEqual(expect.arrayContaining(expected));
    expect(found.evidence).toContain(`originals of User.${expression.replaceAll('"', "")}`);
    expect(found.evidence).not.toContain(value.trim());
    expect(found.switched).toBe(false);
  });

  test("the leak scan finds a column that masking.yaml keeps and should not", async () => {
    const kept = structuredClone(masking);
    Object.assign(kept.tables["Story"]?.columns ?? {}, { metadata: "keep" });
    Object.assign(kept.tables["User"]?.columns ?? {}, { bio: "keep" });
    const { report } = await copyData(await world.options({ masking: kept }, { limit: 80 }));
    expect(report.checks.find(({ id }) => id === "copy.email-domain")).toMatchObject({ status: "failed", evidence: expect.stringMatching(/User\.bio: \d+ row/) });
    expect(report).toMatchObject({ verdict: "failed", switched: false });
  });

  test("a source session that wrote is found", async () => {
    const healthy = await openSource(world.production.admin("production"), { keys: new Map() });
    expect(await healthy.proveUntouched()).toBe(true);
    await expect(healthy.client.query("CREATE TEMP TABLE x (a int)")).rejects.toThrow(/read-only/);
    await healthy.client.query("ROLLBACK; BEGIN READ WRITE; SELECT pg_current_xact_id()");
    expect(await healthy.proveUntouched()).toBe(false);
    await healthy.close();
  });
});
