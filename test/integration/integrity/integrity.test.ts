import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadIntegrityRules, runCatalogChecks, runIntegrityRules } from "../../../engine/integrity/index.ts";
import type { IntegrityRule } from "../../../engine/integrity/index.ts";
import type { CheckResult } from "../../../engine/report/check.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import type { StagingDatabase } from "../../../engine/staging/database.ts";
import { prepareStaging } from "../../../engine/staging/prepare.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";
import { tableChecksums } from "../../support/checksums.ts";
import { startPostgres, withClient } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";

let server: TestServer;
let staging: StagingDatabase;
let rules: IntegrityRule[];

beforeAll(async () => {
  server = await startPostgres();
  const workload = await loadWorkload("workloads/stories");
  rules = await loadIntegrityRules(workload);
  staging = {
    host: server.host, port: server.port, database: "healthy",
    passwords: { admin: server.adminPassword, owner: "owner-secret", app: "app-secret", readOnly: "reader-secret" },
  };
  await prepareStaging({ staging, workload, stack: "local" });
  await withClient(connectionOf(staging, "admin"), async (client) => {
    await client.query("SELECT set_config('understudy.source_users', '200', false)");
    await client.query(await readFile(workload.path("source/generate.sql"), "utf8"));
    await client.query(`UPDATE "User" SET "email" = 'user-' || "id" || '@staging.local';
                        UPDATE "Donation" SET "donorEmail" = 'donor-' || "id" || '@staging.local' WHERE "donorEmail" <> ''`);
  });
});
afterAll(() => server.stop("immediate"));

let clones = 0;
/** A healthy database with one fault planted, as the read-only role sees it. */
async function planted(sql: string) {
  clones += 1;
  const database = `planted_${clones}`;
  await withClient(server.admin(), (client) => client.query(`CREATE DATABASE ${database} TEMPLATE healthy`));
  await withClient(server.admin(database), (client) => client.query(sql));
  return connectionOf(staging, "readOnly", database);
}
const seen = (results: readonly CheckResult[]) => results.filter(({ status }) => status !== "passed").map(({ id, status }) => `${id} ${status}`);

/** The fault, and what must be said of it. One per rule of the workload: a rule without a planted fault fails the test below. */
const faults: readonly { readonly rule: string; readonly sql: string; readonly evidence: RegExp; readonly also?: readonly string[] }[] = [
  { rule: "users-there", sql: 'TRUNCATE "User" CASCADE', evidence: /"User" has no rows/, also: ["*"] },
  { rule: "stories-there", sql: 'TRUNCATE "Story" CASCADE', evidence: /"Story" has no rows/, also: ["*"] },
  { rule: "email-shape", sql: `UPDATE "User" SET "email" = 'no at@staging.local' WHERE "id" = md5('user1')::uuid`, evidence: /^1 row of "User": id [0-9a-f-]{36}\.$/ },
  { rule: "email-once", sql: `UPDATE "User" SET "email" = upper((SELECT "email" FROM "User" WHERE "id" = md5('user2')::uuid)) WHERE "id" = md5('user1')::uuid`, evidence: /^2 rows of "User"/ },
  { rule: "email-masked", sql: `UPDATE "User" SET "email" = 'real.person@example.org' WHERE "id" = md5('user1')::uuid`, evidence: /^1 row/ },
  { rule: "donor-email-masked", sql: `UPDATE "Donation" SET "donorEmail" = 'real@example.org' WHERE "id" IN (3, 4, 5, 6, 7, 8, 9)`, evidence: /^7 rows of "Donation": id 3, id 4, id 5, id 6, id 7 and 2 more\.$/ },
  { rule: "user-times", sql: `UPDATE "User" SET "updatedAt" = "createdAt" - interval '1 second' WHERE "id" = md5('user1')::uuid`, evidence: /^1 row/ },
  { rule: "user-preferences", sql: `UPDATE "User" SET "preferences" = '{"newsletter": "yes"}' WHERE "id" = md5('user1')::uuid`, evidence: /^1 row/ },
  { rule: "story-slug", sql: `UPDATE "Story" SET "slug" = 'Not a slug' WHERE "id" = md5('story1')::uuid`, evidence: /^1 row/ },
  { rule: "story-tags", sql: `UPDATE "Story" SET "tags" = ARRAY['a', NULL] WHERE "id" = md5('story1')::uuid`, evidence: /^1 row/ },
  { rule: "story-author", sql: `UPDATE "Story" SET "authorId" = (SELECT "id" FROM "User" WHERE "role" = 'LEARNER' LIMIT 1) WHERE "id" = md5('story1')::uuid`, evidence: /id [0-9a-f-]+, authorId [0-9a-f-]+/ },
  { rule: "reading-progress", sql: `UPDATE "UserStory" SET "lastReadAt" = '2999-01-01' WHERE ctid = (SELECT min(ctid) FROM "UserStory")`, evidence: /userId .*, storyId / },
  { rule: "order-number", sql: `UPDATE "Order" SET "number" = ' ' WHERE "id" = 1`, evidence: /id 1\.$/ },
  { rule: "order-currency", sql: `UPDATE "Order" SET "currency" = 'eur' WHERE "id" = 1`, evidence: /id 1\.$/ },
  { rule: "order-card", sql: `UPDATE "Order" SET "cardLast4" = 'abcd' WHERE "id" = 1`, evidence: /id 1\.$/ },
  { rule: "order-address", sql: `UPDATE "Order" SET "shippingAddress" = '"12 Real Street"' WHERE "id" = 1`, evidence: /id 1\.$/ },
  { rule: "donation-currency", sql: `UPDATE "Donation" SET "currency" = '€€€' WHERE "id" = 1`, evidence: /id 1\.$/ },
  { rule: "roles-known", sql: `ALTER TYPE "UserRole" ADD VALUE 'GUEST'`, evidence: /^1, expected 0\.$/ },
];

const catalogFaults: readonly { readonly check: string; readonly sql: string; readonly evidence: RegExp; readonly severity?: string; readonly also?: readonly string[] }[] = [
  {
    check: "foreign-keys", evidence: /^3 orphans behind UserStory_userId_fkey of "public"."UserStory"\.$/,
    sql: `SET session_replication_role = replica; INSERT INTO "UserStory" ("userId", "storyId") SELECT md5('nobody' || n)::uuid, md5('story1')::uuid FROM generate_series(1, 3) n`,
  },
  {
    check: "foreign-keys", evidence: /^1 orphan behind late_fk/, also: ["integrity.constraints-validated failed"],
    sql: `ALTER TABLE "Donation" ADD "storyId" uuid; UPDATE "Donation" SET "storyId" = gen_random_uuid() WHERE "id" = 1;
          ALTER TABLE "Donation" ADD CONSTRAINT late_fk FOREIGN KEY ("storyId") REFERENCES "Story" NOT VALID`,
  },
  {
    check: "foreign-keys", evidence: /1 orphan behind pair_fk/,
    sql: `CREATE TABLE pair (a int, b int, PRIMARY KEY (a, b)); CREATE TABLE half (a int, b int, CONSTRAINT pair_fk FOREIGN KEY (a, b) REFERENCES pair MATCH FULL);
          GRANT SELECT ON pair, half TO staging_readonly; SET session_replication_role = replica; INSERT INTO half VALUES (1, NULL), (NULL, NULL)`,
  },
  { check: "indexes-valid", evidence: /Not valid: public."User_role_idx"/, sql: `UPDATE pg_index SET indisvalid = false WHERE indexrelid = '"User_role_idx"'::regclass` },
  {
    check: "constraints-validated", evidence: /^NOT VALID: cheap of public."Order" \(\d+ rows break it\)\.$/, severity: "error",
    sql: `ALTER TABLE "Order" ADD CONSTRAINT cheap CHECK ("amountCents" < 300) NOT VALID`,
  },
  {
    check: "constraints-validated", evidence: /^NOT VALID: sane of public."Order"\.$/, severity: "warning",
    sql: `ALTER TABLE "Order" ADD CONSTRAINT sane CHECK ("amountCents" >= 0) NOT VALID`,
  },
  { check: "triggers-enabled", evidence: /Disabled: the foreign key "UserStory_/, sql: 'ALTER TABLE "UserStory" DISABLE TRIGGER ALL' },
  { check: "sequences-ahead", evidence: /"public"\."Order_id_seq" would give 1, "public"\."Order"\."id" is at \d+\./, sql: `SELECT setval('"Order_id_seq"', 1, false)` },
  { check: "sequences-ahead", evidence: /"Donation_id_seq" would give 42/, sql: `ALTER SEQUENCE "Donation_id_seq" RESTART 42; UPDATE "Donation" SET "id" = 42000 WHERE "id" = 1` },
  {
    check: "sequences-ahead", evidence: /down_seq" would give -1, "public"."falling"."id" is at -5/,
    sql: `CREATE SEQUENCE down_seq INCREMENT -1 MAXVALUE -1; CREATE TABLE falling (id int DEFAULT nextval('down_seq')); INSERT INTO falling VALUES (-5);
          GRANT SELECT ON falling, down_seq TO staging_readonly`,
  },
];

describe("the workload's rules", () => {
  test("healthy: every rule looked at something, and none alarms", async () => {
    const results = await runIntegrityRules({ connection: connectionOf(staging, "readOnly"), rules });
    expect(results).toHaveLength(rules.length);
    expect(seen(results)).toEqual([]);
  });

  test("each rule has a planted fault", () => {
    expect(faults.map(({ rule }) => rule).toSorted()).toEqual(rules.map(({ id }) => id).toSorted());
  });

  test.each(faults)("$rule: found", async ({ rule, sql, evidence, also = [] }) => {
    const results = await runIntegrityRules({ connection: await planted(sql), rules });
    const found = results.find(({ id }) => id === `integrity.${rule}`);
    expect(found).toMatchObject({ status: "failed", evidence: expect.stringMatching(evidence), remedy: expect.any(String) });
    expect(JSON.stringify(results)).not.toMatch(/real\.person|Real Street/);
    if (!also.includes("*")) expect(seen(results)).toEqual([`integrity.${rule} failed`]);
  });

  test("an empty table is skipped, never passed", async () => {
    const results = await runIntegrityRules({ connection: await planted('TRUNCATE "Donation"'), rules });
    expect(seen(results)).toEqual(["integrity.donor-email-masked skipped", "integrity.donation-currency skipped"]);
  });

  test("on unmasked production rows only the masking rules and production's own doubles alarm", async () => {
    const connection = await planted(`UPDATE "User" SET "email" = 'A.' || "id" || '@example.org'`);
    expect(seen(await runIntegrityRules({ connection, rules }))).toEqual(["integrity.email-masked failed"]);
  });
});

describe("a rule that cannot be looked at", () => {
  const base = { title: "A rule", severity: "error", remedy: "Do.", appliesTo: '"User"' } as const;
  const run = async (rule: IntegrityRule, statementTimeoutMs?: number) => {
    const after: IntegrityRule = { id: "after", title: "The next one", severity: "error", remedy: "Do.", notEmpty: '"User"' };
    const options = { connection: connectionOf(staging, "readOnly"), rules: [rule, after] };
    const [first, second] = await runIntegrityRules(statementTimeoutMs === undefined ? options : { ...options, statementTimeoutMs });
    expect(second).toMatchObject({ status: "passed" });
    return first;
  };
  const rows = (sql: string, key = ["id"]): IntegrityRule => ({ ...base, id: "r", sql, key });

  test.each([
    ["wrong SQL", rows("SELEC"), /syntax error/],
    ["no such table", { ...rows("SELECT 1 AS id"), appliesTo: "nowhere" }, /"nowhere" does not exist/],
    ["no such key, though no row breaks it", rows('SELECT "id" FROM "User" WHERE false', ["nokey"]), /nokey does not exist/],
    ["more than one statement", rows('SELECT "id" FROM "User"; DROP TABLE "User"'), /syntax error/],
    ["one that writes", rows('DELETE FROM "User" RETURNING "id"'), /read-only transaction|permission denied/],
    ["one that writes in a function", rows("SELECT nextval('\"Donation_id_seq\"') AS id"), /read-only transaction|permission denied/],
    ["not a number", { ...base, id: "s", scalar: "SELECT 'x'", expect: { equals: 1 } }, /must return one number/],
    ["no row", { ...base, id: "s", scalar: "SELECT 1 WHERE false", expect: { equals: 0 } }, /returned 0 rows/],
    ["NULL", { ...base, id: "s", scalar: "SELECT NULL", expect: { equals: 0 } }, /must return one number/],
  ] satisfies [string, IntegrityRule, RegExp][])("%s: errored, and the next rule is looked at all the same", async (_what, rule, evidence) => {
    expect(await run(rule)).toMatchObject({ status: "errored", evidence: expect.stringMatching(evidence) });
  });

  test("too slow: errored, not waited for", async () => {
    const startedAt = Date.now();
    expect(await run(rows('SELECT "id" FROM "User", pg_sleep(30)'), 200)).toMatchObject({ status: "errored", evidence: expect.stringContaining("not done within 200 ms") });
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });

  test("a message that quotes a value is not shown", async () => {
    const result = await run(rows('SELECT "id" FROM "User" WHERE "email"::int > 0'));
    expect(result).toMatchObject({ status: "errored", evidence: expect.stringContaining("22P02") });
    expect(JSON.stringify(result)).not.toContain("staging.local");
  });

  test("no database: exit 3; interrupted: exit 130", async () => {
    const connection = connectionOf(staging, "readOnly", "nowhere");
    await expect(runIntegrityRules({ connection, rules })).rejects.toMatchObject({ exitCode: 3 });
    const slow = [rows('SELECT "id" FROM "User", pg_sleep(30)')];
    const work = runIntegrityRules({ connection: connectionOf(staging, "readOnly"), rules: slow, signal: AbortSignal.timeout(300) });
    await expect(work).rejects.toMatchObject({ exitCode: 130 });
  });
});

describe("the catalog's checks", () => {
  test("healthy: all five pass, and nothing was written", async () => {
    const before = await tableChecksums(connectionOf(staging, "admin"));
    const results = await runCatalogChecks({ connection: connectionOf(staging, "readOnly") });
    expect(results.map(({ id, status }) => `${id} ${status}`)).toEqual([
      "integrity.foreign-keys passed", "integrity.indexes-valid passed", "integrity.constraints-validated passed",
      "integrity.triggers-enabled passed", "integrity.sequences-ahead passed",
    ]);
    expect(await tableChecksums(connectionOf(staging, "admin"))).toEqual(before);
  });

  test.each(catalogFaults)("$check: $evidence", async ({ check, sql, evidence, severity = "error", also = [] }) => {
    const results = await runCatalogChecks({ connection: await planted(sql) });
    const id = `integrity.${check}`;
    expect(results.find((result) => result.id === id)).toMatchObject({ status: "failed", severity, evidence: expect.stringMatching(evidence) });
    expect(seen(results).toSorted()).toEqual([`${id} failed`, ...also].toSorted());
  });

  test("an empty database: nothing to look at is skipped, never passed", async () => {
    await withClient(server.admin(), (client) => client.query("CREATE DATABASE bare TEMPLATE template0"));
    const results = await runCatalogChecks({ connection: server.admin("bare"), category: "database" });
    expect(seen(results)).toEqual(["database.foreign-keys skipped", "database.indexes-valid skipped", "database.constraints-validated skipped", "database.triggers-enabled skipped", "database.sequences-ahead skipped"]);
  });
});
