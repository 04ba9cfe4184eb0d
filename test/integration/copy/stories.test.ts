import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Pool } from "pg";
import { copyData, planCopy, rollbackCopy } from "../../../engine/copy/copy.ts";
import { deriveDomainKey } from "../../../engine/masking/key.ts";
import type { MaskingPolicy } from "../../../engine/masking/policy.ts";
import { clientConfig } from "../../../engine/postgres/connection.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import { findNewestReport } from "../../../engine/report/find.ts";
import { tableChecksums } from "../../support/checksums.ts";
import { fillWithStories, maskingKey, startCopyWorld } from "../../support/copyWorld.ts";
import type { CopyWorld } from "../../support/copyWorld.ts";
import { withClient } from "../../support/postgres.ts";

let world: CopyWorld;

beforeAll(async () => {
  world = await startCopyWorld(fillWithStories(400));
});
afterAll(() => world.stop());

const policyFile = async (): Promise<MaskingPolicy> => parse(await readFile("workloads/stories/copy/masking.yaml", "utf8")) as MaskingPolicy;
const copiedTables = ["User", "Story", "UserStory", "Order", "Donation"].map((name) => `"${name}"`);
const staged = (sql: string) => world.askStaging(sql);
const applicationChecksums = async (database = "staging_db") =>
  Object.fromEntries(Object.entries(await tableChecksums(connectionOf(world.staging, "admin", database))).filter(([name]) => name.startsWith("public.")));

/** What production would show of having been written to. */
const sourceState = async () => ({
  sums: await tableChecksums(world.production.admin("production")),
  next: await world.askSource("SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xid"),
  objects: await world.askSource("SELECT count(*) AS classes FROM pg_class"),
});

describe.sequential("copy of the stories workload", () => {
  test("a dry run shows masked samples, and writes nothing on either server", async () => {
    const before = { source: await sourceState(), staging: await tableChecksums(connectionOf(world.staging, "admin")) };
    const plan = await planCopy(await world.options());
    const { report } = await copyData(await world.options({}, { dryRun: true }));
    expect({ source: await sourceState(), staging: await tableChecksums(connectionOf(world.staging, "admin")) }).toEqual(before);
    expect(await world.databases()).toEqual(["staging_db"]);
    expect(report).toMatchObject({ dryRun: true, switched: false, verdict: "passed" });

    const users = plan.tables.find(({ table }) => table === "User");
    expect(users).toMatchObject({ rows: 10, selection: "chosen" });
    const email = users?.columns.find(({ column }) => column === "email");
    expect(email?.samples).toHaveLength(3);
    for (const sample of email?.samples ?? []) expect(sample).toMatch(/^user-[0-9a-f]{20}@staging\.local$/);
    const originals = new Set((await world.askSource(`SELECT "email", "name" FROM "User"`)).flatMap((row) => Object.values(row)));
    const samples = plan.tables.flatMap((table) => table.columns.flatMap((column) => column.samples));
    expect(samples.filter((sample) => sample.length > 5 && originals.has(sample))).toEqual([]);
    for (const column of users?.columns.filter(({ masked }) => !masked) ?? []) expect(column.samples).toEqual([]);
  });

  test("brings ten users of every role and all that is theirs, green, and leaves production as it was", async () => {
    const before = await sourceState();
    const { report, files } = await copyData(await world.options());
    expect(report.checks.filter(({ status }) => status !== "passed")).toEqual([]);
    expect(report).toMatchObject({ verdict: "passed", switched: true, target: { database: "staging_db", previous: "staging_db_previous" } });
    expect(await sourceState()).toEqual(before);
    expect(await world.databases()).toEqual(["staging_db", "staging_db_previous"]);
    expect((await findNewestReport(world.reports, "test-data-summary", "test"))?.json).toBe(files.json);

    expect(await staged(`SELECT "role"::text, count(*)::int FROM "User" GROUP BY 1 ORDER BY 1`)).toEqual(
      ["ADMIN", "AUTHOR", "CUSTOMER", "INSTITUTION", "LEARNER", "TEACHER", "VOLUNTEER"].map((role) => ({ role, count: role === "LEARNER" ? 4 : 1 })),
    );
    const [chosen] = await staged(`SELECT string_agg(quote_literal("id"), ',') AS ids FROM "User"`);
    const ids = String(chosen?.["ids"]);
    for (const table of [`"Order"`, `"UserStory"`]) {
      const count = `SELECT count(*)::int FROM ${table} WHERE "userId" IN (${ids})`;
      expect(await staged(count)).toEqual(await world.askSource(count));
    }
    const [orphans] = await staged(`SELECT count(*)::int FROM "Donation" WHERE "userId" IS NULL AND "donorEmail" IS NOT NULL`);
    expect(orphans).toEqual({ count: 2 });
  });

  test("not one email, name or telephone number of production is in staging", async () => {
    const [emails] = await staged(`SELECT count(*)::int AS all, count(*) FILTER (WHERE "email" LIKE 'user-%@staging.local')::int AS masked FROM "User"`);
    expect(emails).toEqual({ all: 10, masked: 10 });
    const whole = JSON.stringify(await Promise.all(copiedTables.map((table) => staged(`SELECT * FROM ${table}`))));
    const originals = await world.askSource(`
      SELECT "email" AS value FROM "User" UNION SELECT "phone" FROM "User" UNION SELECT "donorEmail" FROM "Donation"
      UNION SELECT "preferences" ->> 'recoveryEmail' FROM "User" UNION SELECT "shippingAddress" ->> 'email' FROM "Order"
      UNION SELECT "name" FROM "User" WHERE "name" LIKE '% %' UNION SELECT "passwordHash" FROM "User"`);
    expect(originals.length).toBeGreaterThan(1_000);
    expect(originals.filter(({ value }) => typeof value === "string" && value.length > 6 && whole.includes(value))).toEqual([]);
    expect(whole).not.toMatch(/@(?!staging\.local)[a-z]/i);
  });

  test("the form stays: NULL, empty, length, intervals, JSON", async () => {
    const ids = String((await staged(`SELECT string_agg(quote_literal("id"), ',') AS ids FROM "User"`))[0]?.["ids"]);
    const form = `SELECT "id", "name" IS NULL AS "noName", "name" = '' AS "emptyName", "phone" IS NULL AS "noPhone", length("phone") AS phone,
      length("bio") AS bio, length("passwordHash") AS hash, "updatedAt" - "createdAt" AS age, family("lastIp") AS family, "preferences" ->> 'locale' AS locale,
      "preferences" ? 'recoveryEmail' AS recovery FROM "User" WHERE "id" IN (${ids}) ORDER BY "id"`;
    expect(await staged(form)).toEqual(await world.askSource(form));
    const shifted = `SELECT "id", "createdAt" FROM "User" WHERE "id" IN (${ids}) ORDER BY "id"`;
    const [masked, original] = [await staged(shifted), await world.askSource(shifted)];
    for (const [index, row] of masked.entries()) {
      const days = (Number(original[index]?.["createdAt"]) - Number(row["createdAt"])) / 86_400_000;
      expect(days).toBeGreaterThanOrEqual(1);
      expect(days).toBeLessThanOrEqual(30);
    }
  });

  test("staging's own rows are carried over, and the application may work with the copy", async () => {
    await staged("INSERT INTO staging_migrations.test_results (run_id, check_id, category, severity, status, evidence, duration_ms) VALUES (gen_random_uuid(), 'a.b', 'a', 'error', 'passed', 'seen', 1)");
    const [marker] = await staged("SELECT stack, created_at FROM staging_logs.marker");
    await copyData(await world.options());
    expect(await staged("SELECT check_id FROM staging_migrations.test_results")).toEqual([{ check_id: "a.b" }]);
    expect(await staged("SELECT stack, created_at FROM staging_logs.marker")).toEqual([marker]);
    expect(await staged("SELECT count(*)::int FROM staging_logs.init_log WHERE event = 'copied'")).toEqual([{ count: 2 }]);
    await withClient(connectionOf(world.staging, "app"), async (client) => {
      await client.query("BEGIN");
      const { rowCount } = await client.query(`INSERT INTO "Order" ("number", "userId", "amountCents") SELECT 'NEW-1', "id", 5 FROM "User" LIMIT 1`);
      expect(rowCount).toBe(1);
      await client.query("ROLLBACK");
      await expect(client.query(`DROP TABLE "Order"`)).rejects.toThrow(/owner/);
    });
  });

  test("the same key gives the same rows; another has no mask in common", async () => {
    const first = await applicationChecksums();
    await copyData(await world.options());
    expect(await applicationChecksums()).toEqual(first);
    expect(await applicationChecksums("staging_db_previous")).toEqual(first);

    const values = async () =>
      new Set((await staged(`SELECT "email" AS v FROM "User" UNION SELECT "passwordHash" FROM "User" UNION SELECT "donorEmail" FROM "Donation"`)).map(({ v }) => v).filter((v) => v !== null));
    const masks = await values();
    await copyData(await world.options({}, { maskingKey: "quite-another-secret-0002" }));
    expect([...(await values())].filter((value) => masks.has(value))).toEqual([]);
  });

  test("a larger limit: the orphans stay as few, one person's email is masked alike everywhere, and the application comes back by itself", async () => {
    const pool = new Pool({ ...clientConfig(connectionOf(world.staging, "app")), max: 3 });
    let cutOff = 0;
    pool.on("error", () => (cutOff += 1));
    try {
      await Promise.all([1, 2, 3].map(() => pool.query("SELECT pg_sleep(0.05)")));
      const { report } = await copyData(await world.options({}, { limit: 60 }));
      expect(report.verdict).toBe("passed");
      await expect.poll(() => cutOff).toBe(3);
      const { rows } = await pool.query(`SELECT count(*)::int FROM "User"`);
      expect(rows).toEqual([{ count: 60 }]);
    } finally {
      await pool.end();
    }
    expect(await staged(`SELECT count(*)::int FROM "Donation" WHERE "userId" IS NULL AND "donorEmail" LIKE 'user-%'
      AND NOT EXISTS (SELECT FROM "User" WHERE "email" = "donorEmail")`)).toEqual([{ count: 2 }]);
    const matches = `SELECT count(*)::int FROM "Donation" JOIN "User" ON "donorEmail" = "email"`;
    const ids = String((await staged(`SELECT string_agg(quote_literal("id"), ',') AS ids FROM "User"`))[0]?.["ids"]);
    const [expected] = await world.askSource(`${matches} WHERE "User"."id" IN (${ids})`);
    expect(expected?.["count"]).toBeGreaterThan(0);
    expect(await staged(matches)).toEqual([expected]);
  });

  test("rollback brings the previous database back, and once more the copy", async () => {
    const [copy, before] = [await applicationChecksums(), await applicationChecksums("staging_db_previous")];
    expect(copy).not.toEqual(before);
    expect(await rollbackCopy({ staging: world.staging, stack: "test" })).toEqual({ live: "staging_db", previous: "staging_db_previous" });
    expect(await applicationChecksums()).toEqual(before);
    await rollbackCopy({ staging: world.staging, stack: "test" });
    expect(await applicationChecksums()).toEqual(copy);
  });

  test("no secret, key or original is in the source's statement log or in a report", async () => {
    const log = await readFile(`${world.production.folder}/data/log/statements.log`, "utf8");
    expect(log).toContain("TO STDOUT");
    for (const domain of ["email", "full_name", "phone"]) expect(log).not.toContain(deriveDomainKey(maskingKey, domain).toString("hex"));
    expect(log).not.toContain(maskingKey);
    expect(log).not.toContain("SET understudy.");
    const { json = "", html = "" } = (await findNewestReport(world.reports, "test-data-summary", "test")) ?? {};
    const texts = await Promise.all([readFile(json, "utf8"), readFile(html, "utf8")]);
    for (const text of texts) {
      expect(text).not.toContain("reader-secret");
      expect(text).not.toContain(maskingKey);
      expect(text).not.toMatch(/@(example|mail|school)\./);
    }
  });

  test("a column without a rule stops the copy before a row moves; so does a rule without a column", async () => {
    const masking = await policyFile();
    const { bio: _bio, phone: _phone, ...columns } = masking.tables["User"]?.columns ?? {};
    masking.tables["User"] = { columns: { ...columns, shoeSize: { mask: "keep" } } };
    masking.tables["Ghost"] = { leaveOut: true };
    const before = await applicationChecksums();
    await expect(copyData(await world.options({ masking }))).rejects.toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(/Ghost: a rule for a table.*User\.shoeSize: a rule for a column.*User\.phone: no rule; User\.bio: no rule/),
    });
    await expect(planCopy(await world.options({ masking }))).rejects.toMatchObject({ exitCode: 4 });
    expect(await applicationChecksums()).toEqual(before);
  });
});
