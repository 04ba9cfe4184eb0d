import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSampleSource } from "../../../engine/source/sample.ts";
import type { CreateSampleSource } from "../../../engine/source/sample.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";
import type { Workload } from "../../../engine/workload/manifest.ts";
import { tableChecksums } from "../../support/checksums.ts";
import { runUntilKilled } from "../../support/diesAt.ts";
import { startPostgres, withClient } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";

let server: TestServer;
let workload: Workload;

beforeAll(async () => {
  server = await startPostgres({ log_statement: "all" });
  workload = await loadWorkload("workloads/stories");
});
afterAll(() => server.stop("immediate"));

const create = (changes: Partial<CreateSampleSource> = {}) =>
  createSampleSource({ server, workload, users: 2_000, readerPassword: "reader-secret", ...changes });
const databases = () =>
  withClient(server.admin(), async (client) => {
    const { rows } = await client.query<{ datname: string }>("SELECT datname FROM pg_database WHERE datname ~ 'sample' ORDER BY 1");
    return rows.map((row) => row.datname);
  });
const ask = async (sql: string, database = "production_sample") =>
  withClient(server.admin(database), async (client) => (await client.query<Record<string, unknown>>(sql)).rows[0] ?? {});

describe.sequential("createSampleSource", () => {
  test("makes 2,000 users and what belongs to them", async () => {
    const sample = await create();
    expect(sample).toMatchObject({ database: "production_sample", users: 2_000, created: true });
    expect(sample.tables).toMatchObject({ User: 2_000, Story: 80, Donation: 400 });
    expect(sample.tables["UserStory"]).toBeGreaterThan(3_000);
    expect(sample.tables["Order"]).toBeGreaterThan(1_000);
    expect(sample.sizeBytes).toBeGreaterThan(1_000_000);
    expect(await databases()).toEqual(["production_sample"]);
  });

  test("is there already: found, not made again", async () => {
    const oid = () => ask("SELECT oid FROM pg_database WHERE datname = 'production_sample'");
    const before = await oid();
    const sample = await create();
    expect(sample).toMatchObject({ created: false, users: 2_000 });
    expect(sample.tables).toMatchObject({ User: 2_000 });
    expect(await oid()).toEqual(before);
  });

  test("the same size gives the same rows, to the byte", async () => {
    await create({ database: "other_sample" });
    expect(await tableChecksums(server.admin("other_sample"))).toEqual(await tableChecksums(server.admin("production_sample")));
  });

  test("holds the awkward things that real data holds", async () => {
    const found = await ask(`SELECT
      count(*) FILTER (WHERE "name" IS NULL) AS "null names", count(*) FILTER (WHERE "name" = '') AS "empty names",
      count(*) FILTER (WHERE "phone" = '') AS "empty phones", count(*) FILTER (WHERE "bio" = '') AS "empty bios",
      count(*) FILTER (WHERE "email" <> lower("email")) AS "mixed case", count(*) FILTER (WHERE "email" <> btrim("email")) AS "blanks",
      count(*) - count(DISTINCT lower(btrim("email"))) AS "duplicates after trim",
      count(*) FILTER (WHERE "name" ~ '[\u0590-\u06ff]') AS "right to left", count(*) FILTER (WHERE "name" ~ '[\u4e00-\u9fff]') AS "CJK",
      count(*) FILTER (WHERE "name" ~ '[\u0300-\u036f]') AS "combining marks", count(*) FILTER (WHERE "name" LIKE '%🦊%') AS "emoji",
      count(*) FILTER (WHERE "name" LIKE '%O''Brien%') AS "apostrophes", count(*) FILTER (WHERE length("name") > 200) AS "long names",
      count(*) FILTER (WHERE length("bio") > 50000) AS "long bios", count(*) FILTER (WHERE "bio" ~ '@[a-z.]*example') AS "emails in bios",
      count(*) FILTER (WHERE "preferences" ? 'recoveryEmail') AS "emails in JSON",
      count(*) FILTER (WHERE "preferences" #>> '{contacts,0,email}' IS NOT NULL) AS "emails deep in JSON",
      count(*) FILTER (WHERE family("lastIp") = 6) AS "IPv6", count(*) FILTER (WHERE "createdAt" < '2000-01-01') AS "before 2000",
      count(*) FILTER (WHERE "createdAt"::date = '2024-02-29') AS "leap days", count(*) FILTER (WHERE "createdAt" = '2021-10-31 00:30Z') AS "clock changes",
      count(*) FILTER (WHERE NOT EXISTS (SELECT FROM "UserStory" WHERE "userId" = u."id") AND NOT EXISTS (SELECT FROM "Order" WHERE "userId" = u."id")
        AND NOT EXISTS (SELECT FROM "Donation" WHERE "userId" = u."id")) AS "users without rows",
      (SELECT count(*) FROM "Donation" d WHERE "donorEmail" <> '' AND NOT EXISTS (SELECT FROM "User" WHERE lower(btrim("email")) = lower(btrim(d."donorEmail")))) AS "orphan donors",
      (SELECT count(*) FROM "Donation" WHERE "legacyRef" IS NOT NULL) AS "legacy references",
      (SELECT count(*) FROM "Donation" WHERE "message" ~ '@[a-z.]*example') AS "emails in messages",
      (SELECT count(*) FROM "Order" WHERE "shippingAddress" ? 'email') AS "emails in addresses",
      (SELECT count(*) FROM "UserStory" WHERE "note" ~ '@[a-z.]*example') AS "emails in notes",
      (SELECT count(*) FROM "Story" WHERE "authorId" IS NULL) AS "stories of nobody", (SELECT count(*) FROM "Story" WHERE length("body") > 100000) AS "long stories",
      (SELECT count(*) FROM (SELECT FROM "Order" GROUP BY "userId" HAVING count(*) >= 200) many) AS "users with many orders"
      FROM "User" u`);
    expect(Object.keys(found)).toHaveLength(30);
    expect(Object.entries(found).filter(([, count]) => Number(count) === 0)).toEqual([]);
    expect(Number(found["duplicates after trim"])).toBeLessThan(60);
  });

  test("every role is there, seven in ten are learners", async () => {
    const roles = await ask(`SELECT count(DISTINCT "role")::int AS roles, round(avg(("role" = 'LEARNER')::int), 2)::float AS learners,
      round(avg(("role" = 'CUSTOMER')::int), 2)::float AS customers FROM "User"`);
    expect(roles["roles"]).toBe(7);
    expect(roles["learners"]).toBeCloseTo(0.7, 1);
    expect(roles["customers"]).toBeCloseTo(0.1, 1);
  });

  test("every email is in a reserved domain", async () => {
    const outside = await ask(`SELECT count(*)::int AS n FROM (SELECT "email" AS e FROM "User" UNION ALL SELECT "donorEmail" FROM "Donation") every
      WHERE btrim(e) <> '' AND btrim(lower(e)) !~ '@([^@]*\\.)?example(\\.(org|net|com))?$'`);
    expect(outside).toEqual({ n: 0 });
  });

  test("identity and serial columns go on after what is there", async () => {
    await withClient(server.admin("other_sample"), async (client) => {
      await client.query(`INSERT INTO "Donation" ("amountCents") VALUES (1); INSERT INTO "Order" ("number", "userId", "amountCents") SELECT 'x', "id", 1 FROM "User" LIMIT 1`);
    });
    expect((await ask('SELECT count(*)::int AS n FROM "Donation"', "other_sample"))["n"]).toBe(401);
  });

  test("the reader reads everything and writes nothing", async () => {
    const { reader } = await create();
    await withClient(reader, async (client) => {
      for (const table of ["User", "Story", "UserStory", "Order", "Donation"]) {
        expect((await client.query(`SELECT FROM "${table}" LIMIT 1`)).rowCount, table).toBe(1);
      }
      expect((await client.query("SELECT last_value FROM \"Donation_id_seq\"")).rows).toEqual([{ last_value: "400" }]);
      await expect(client.query('DELETE FROM "User"')).rejects.toMatchObject({ code: "25006" });
      await client.query("SET default_transaction_read_only = off");
      for (const sql of ['DELETE FROM "User"', "CREATE TABLE t ()", "CREATE TEMP TABLE t ()", "CREATE SCHEMA s", "SELECT nextval('\"Donation_id_seq\"')"]) {
        await expect(client.query(sql), sql).rejects.toMatchObject({ code: "42501" });
      }
    });
    await expect(withClient({ ...reader, database: "postgres", password: "wrong" }, () => Promise.resolve())).rejects.toMatchObject({ code: "28P01" });
  });

  test("another size replaces it, sessions on it or not", async () => {
    await withClient(server.admin("production_sample"), async (client) => {
      client.on("error", () => {});
      const sample = await create({ users: 50 });
      expect(sample).toMatchObject({ created: true, tables: { User: 50 } });
    });
    expect(await databases()).toEqual(["other_sample", "production_sample"]);
  });

  test("one user is enough, none is refused", async () => {
    expect((await create({ database: "tiny_sample", users: 1 })).tables).toMatchObject({ User: 1, Story: 40 });
    for (const users of [0, -1, 1.5, Number.NaN]) await expect(create({ users })).rejects.toMatchObject({ exitCode: 2 });
  });

  test("a database of that name that is not a sample is left alone", async () => {
    await withClient(server.admin(), (client) => client.query("CREATE DATABASE real_sample"));
    await expect(create({ database: "real_sample" })).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining("not a sample") });
    expect(await databases()).toContain("real_sample");
    await withClient(server.admin(), (client) => client.query("DROP DATABASE real_sample"));
  });

  test("interrupted midway: the one in use stays, its server stops working on it, the next run converges", async () => {
    const controller = new AbortController();
    const attempt = create({ users: 300_000, signal: controller.signal, onProgress: (event) => event.message === "users" && controller.abort() });
    await expect(attempt).rejects.toMatchObject({ exitCode: 130 });
    await sleep(300);
    const busy = await ask("SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'understudy sample'");
    expect(busy).toEqual({ n: 0 });
    expect(await ask('SELECT count(*)::int AS n FROM "User"')).toEqual({ n: 50 });
    expect(await create({ users: 60 })).toMatchObject({ created: true, tables: { User: 60 } });
    expect(await databases()).toEqual(["other_sample", "production_sample", "tiny_sample"]);
  });

  test.each(["users", "orders", "foreign keys", "statistics"])("killed at %s: the one in use stays, the next run converges", async (at) => {
    const before = await tableChecksums(server.admin("production_sample"));
    await runUntilKilled(`${import.meta.dirname}/sampleAndDie.ts`, {
      at, users: 5_000, readerPassword: "reader-secret", server: { host: server.host, port: server.port, adminPassword: server.adminPassword },
    });
    expect(await tableChecksums(server.admin("production_sample"))).toEqual(before);
    const users = Number((await ask('SELECT count(*)::int AS n FROM "User"'))["n"]) + 1;
    expect(await create({ users })).toMatchObject({ created: true, tables: { User: users } });
    expect(await databases()).toEqual(["other_sample", "production_sample", "tiny_sample"]);
  });

  test("two runs at once make it once", async () => {
    const both = await Promise.all([create({ database: "shared_sample", users: 100 }), create({ database: "shared_sample", users: 100 })]);
    expect(both.map((sample) => sample.created).toSorted()).toEqual([false, true]);
  });

  test("a generator that leaves orphans is refused, and nothing takes the name", async () => {
    const broken: Workload = { ...workload, path: (file) => (file.startsWith("source/") ? `${import.meta.dirname}/orphans.sql` : workload.path(file)) };
    await expect(create({ workload: broken, database: "broken_sample" })).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining("orphans") });
    expect((await databases()).filter((name) => name.startsWith("broken_sample"))).toEqual([]);
  });
});
