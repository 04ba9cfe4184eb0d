import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { largeRows, reduceRows } from "../../../engine/migration/clones/reduce.ts";
import { canonicalOutput } from "../../../engine/migration/run/session.ts";
import { brokenChecks, orphans } from "../../../engine/migration/state/constraints.ts";
import { sameChecksum } from "../../../engine/migration/state/checksums.ts";
import { compareSchemas, describeDifference, readSchema } from "../../../engine/migration/state/schema.ts";
import { rowsOf, takeSnapshot, untouched } from "../../../engine/migration/state/snapshot.ts";
import { startPostgres, withClient } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";
import { clonesLeft, prepareShop } from "./fixture.ts";
import { checkOf, rehearseShop, wrongIn } from "./inputs.ts";

let server: TestServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-scale-"));
  server = await startPostgres({ full_page_writes: "off", autovacuum: "off" });
  await prepareShop(server);
});
afterAll(async () => {
  await server.stop("immediate");
  await rm(folder, { recursive: true, force: true });
});

async function database(name: string): Promise<string> {
  await withClient(server.admin(), (client) => client.query(`CREATE DATABASE ${name}`));
  return name;
}

describe("a clone made small", () => {
  const many = largeRows * 3;
  const schema = `
    CREATE TYPE kind AS ENUM ('common', 'rare');
    CREATE TABLE teams (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lead_id int);
    CREATE TABLE people (id int PRIMARY KEY, team_id int REFERENCES teams, boss_id int REFERENCES people, kind kind NOT NULL, name text,
      shout text GENERATED ALWAYS AS (upper(name)) STORED, CHECK (id > 0));
    ALTER TABLE teams ADD FOREIGN KEY (lead_id) REFERENCES people;
    CREATE TABLE visits (at date NOT NULL, person_id int NOT NULL REFERENCES people) PARTITION BY RANGE (at);
    CREATE TABLE visits_early PARTITION OF visits FOR VALUES FROM (MINVALUE) TO ('2026-07-01');
    CREATE TABLE visits_late PARTITION OF visits FOR VALUES FROM ('2026-07-01') TO (MAXVALUE);
    CREATE TABLE notes (person_id int PRIMARY KEY REFERENCES people, text text);
    CREATE TABLE empty_one ();
    CREATE FUNCTION count_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO teams DEFAULT VALUES; RETURN NEW; END $$;
    CREATE TRIGGER people_count AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION count_up();
    SET session_replication_role = replica;
    INSERT INTO teams (lead_id) SELECT i * 50 FROM generate_series(1, ${many / 50}) i;
    INSERT INTO people SELECT i, 1 + i % ${many / 50}, CASE WHEN i > 1 THEN i / 2 END, CASE WHEN i = 31337 THEN 'rare' ELSE 'common' END::kind,
      CASE i WHEN 11111 THEN NULL WHEN 22222 THEN '' WHEN 33333 THEN 'Zoë' WHEN 34567 THEN repeat('long ', 600) ELSE 'name ' || i END FROM generate_series(1, ${many}) i;
    INSERT INTO visits SELECT date '2026-01-01' + i % 365, 1 + i FROM generate_series(0, ${many - 1}) i;
    INSERT INTO notes SELECT i, 'note' FROM generate_series(39000, 39010) i;
    SET session_replication_role = origin; ANALYZE`;

  test("keeps rows of every kind and whatever they point to, through circles and partitions, and no other; the schema untouched", async () => {
    const name = await database("many");
    await withClient(server.admin(name), async (client) => {
      await client.query(schema);
      await client.query(canonicalOutput);
      const before = await takeSnapshot(client);
      await client.query("RESET search_path");
      const rows = new Map(before.tables.map((table) => [table.name, rowsOf(before, table.name)]));
      const { rowsBefore, rowsAfter } = await reduceRows(client, rows, 500);
      expect(rowsBefore).toBe(many * 2 + many / 50 + 11);
      expect(rowsAfter).toBeLessThan(rowsBefore / 5);
      const kinds = await client.query<{ id: number }>("SELECT id FROM people WHERE id IN (31337, 11111, 22222, 33333, 34567) ORDER BY id");
      expect(kinds.rows.map(({ id }) => id)).toEqual([11111, 22222, 31337, 33333, 34567]);
      await client.query(canonicalOutput);
      expect(await orphans(client)).toMatchObject({ findings: [] });
      expect(await brokenChecks(client)).toMatchObject({ findings: [] });
      expect(compareSchemas(before.schema, await readSchema(client)).map(describeDifference)).toEqual([]);
      const { rows: counts } = await client.query<{ notes: number; people: number; shout: boolean; next: string }>(
        `SELECT (SELECT count(*)::int FROM public.notes) AS notes, (SELECT count(*)::int FROM public.people) AS people, (SELECT bool_and(shout IS NOT DISTINCT FROM upper(name)) FROM public.people) AS shout,
                nextval('public.teams_id_seq') AS next`,
      );
      expect(counts[0]).toMatchObject({ notes: 11, shout: true, next: String(many / 50 + 1) });
      expect(counts[0]?.people).toBeGreaterThan(500);
    });
  });
});

describe("checksums of tables that were not written are taken over", () => {
  test("a write of a session that has just ended is always seen; what was not written is not read again", async () => {
    const name = await database("written");
    await withClient(server.admin(name), (maker) => maker.query("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY); INSERT INTO a SELECT i, 'x' FROM generate_series(1, 100) i; INSERT INTO b VALUES (1)"));
    await withClient(server.admin(name), async (observer) => {
      await observer.query("SET application_name = 'understudy observer'");
      await observer.query(canonicalOutput);
      let earlier = await takeSnapshot(observer);
      for (let round = 1; round <= 15; round += 1) {
        await withClient(server.admin(name), (writer) => writer.query(`UPDATE a SET v = 'round ${round}' WHERE id = ${round}`));
        const now = await takeSnapshot(observer, earlier);
        expect(sameChecksum(now.rows.get("public.a"), earlier.rows.get("public.a"))).toBe(false);
        expect(now.rows).toEqual((await takeSnapshot(observer)).rows);
        expect([...untouched(earlier, now).keys()]).toEqual(["public.b"]);
        earlier = now;
      }
    });
  });

  test.each([
    ["another label for the same value", "ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'"],
    ["another type", "ALTER TABLE a ALTER COLUMN n TYPE bigint"],
    ["a column more, without a rewrite", "ALTER TABLE a ADD COLUMN extra text DEFAULT 'x'"],
    ["emptied", "TRUNCATE a"],
    ["another table of that name", "ALTER TABLE a RENAME TO c; ALTER TABLE b RENAME TO a"],
  ])("not where rows read otherwise: %s", async (words, sql) => {
    const name = await database(`reads_${words.replaceAll(/\W+/g, "_")}`);
    await withClient(server.admin(name), async (observer) => {
      await observer.query("CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TABLE a (n int, m mood); CREATE TABLE b (n int, m mood); INSERT INTO a VALUES (1, 'sad'); INSERT INTO b VALUES (1, 'glad')");
      await observer.query(canonicalOutput);
      const earlier = await takeSnapshot(observer);
      await withClient(server.admin(name), (writer) => writer.query(sql));
      const now = await takeSnapshot(observer, earlier);
      expect(untouched(earlier, now).has("public.a")).toBe(false);
      expect(now.rows).toEqual((await takeSnapshot(observer)).rows);
    });
  });
});

describe("a large database", () => {
  const grown = "INSERT INTO customers (email, tier) SELECT 'grown' || i || '@staging.local', (ARRAY['basic', 'plus', 'gold'])[1 + i % 3]::tier FROM generate_series(1, 30000) AS i";
  const up = "SET lock_timeout = '400ms';\nALTER TABLE customers ADD COLUMN was_tier tier;\n";
  const down = "SET lock_timeout = '400ms';\nALTER TABLE customers DROP COLUMN was_tier;\n";
  const expectations = `
migrations:
  0001_case:
    scenarios:
      - id: the-one
        title: One row that only the whole database has
        steps:
          - migrate: up
          - expect:
              - id: the-one-is-there
                title: it is there
                sql: SELECT 'gone' WHERE NOT EXISTS (SELECT FROM customers WHERE email = 'grown12345@staging.local')
                covers: SELECT count(*) FROM customers WHERE email = 'grown12345@staging.local'
`;

  test("what is timed and every row at full size, what is repeated on a small clone, what needs the whole played there; said in the report", { timeout: 120_000 }, async () => {
    const files = { "migrations/0001_case.up.sql": up, "migrations/0001_case.down.sql": down, "expectations.yaml": expectations };
    const report = await rehearseShop(server, folder, { name: "large", files, setup: grown });
    expect(wrongIn(report)).toEqual([]);
    const note = /\(On a clone of \d{3,5} rows\.\)$/;
    for (const id of ["rollback.killed-leaves-nothing", "edge-cases.run-twice", "performance.lock-timeout"]) expect(checkOf(report, id).evidence, id).toMatch(note);
    for (const id of ["logic.up-applies", "rollback.rows-restored", "performance.traffic-stall", "edge-cases.the-one-is-there"]) expect(checkOf(report, id).evidence, id).not.toMatch(note);
    const [full, small] = report.migrations[0]?.scale ?? [];
    expect(full).toMatchObject({ scenarios: ["up, down, up again", "live traffic"] });
    expect(full?.rows).toBeGreaterThan(30_000);
    expect(small?.rows).toBeLessThan(15_000);
    expect(await clonesLeft(server)).toEqual([]);
  });

  test("a single row among many that down forgets is found, at full size", { timeout: 120_000 }, async () => {
    const files = {
      "migrations/0001_case.up.sql": "UPDATE customers SET note = note || '!';\n",
      "migrations/0001_case.down.sql": "UPDATE customers SET note = rtrim(note, '!') WHERE email <> 'grown23456@staging.local';\n",
    };
    const report = await rehearseShop(server, folder, { name: "one-row", files, setup: grown }, { only: ["rollback.rows-restored"] });
    expect(checkOf(report, "rollback.rows-restored")).toMatchObject({ status: "failed", evidence: expect.stringMatching(/^public\.customers: 1 of 30200 rows differ/) as string });
  });

  test("faults that show in repetition are found on the small clone too", { timeout: 120_000 }, async () => {
    const files = {
      "migrations/0001_case.up.sql": "-- understudy: no-transaction\nALTER TABLE customers ADD COLUMN bonus int;\nUPDATE customers SET balance_cents = balance_cents + 1;\n",
      "migrations/0001_case.down.sql": "-- understudy: no-transaction\nUPDATE customers SET balance_cents = balance_cents - 1;\nALTER TABLE customers DROP COLUMN bonus;\n",
    };
    const report = await rehearseShop(server, folder, { name: "repeats", files, setup: grown }, { only: ["rollback.killed-recovers", "performance.lock-timeout"] });
    expect(checkOf(report, "rollback.killed-recovers")).toMatchObject({ status: "failed", evidence: expect.stringContaining('column "bonus" of relation "customers" already exists') as string });
    expect(checkOf(report, "performance.lock-timeout")).toMatchObject({ status: "failed", evidence: expect.stringContaining("no lock_timeout ends it") as string });
  });
});
