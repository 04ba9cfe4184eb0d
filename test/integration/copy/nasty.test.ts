import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { classifySource } from "../../../engine/copy/classify/classify.ts";
import { proposalYaml } from "../../../engine/copy/classify/proposalYaml.ts";
import { copyData } from "../../../engine/copy/copy.ts";
import type { MaskingPolicy } from "../../../engine/masking/policy.ts";
import { postgresProgram } from "../../../engine/postgres/programs.ts";
import type { ConnectionSettings } from "../../../engine/postgres/connection.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import { startCopyWorld } from "../../support/copyWorld.ts";
import type { CopyWorld } from "../../support/copyWorld.ts";
import { withClient } from "../../support/postgres.ts";

const run = promisify(execFile);
const file = (name: string) => readFile(join(import.meta.dirname, name), "utf8");
const whole = { version: 1, whole: "all" };

let world: CopyWorld;
let proposed: MaskingPolicy;
let keepAll: MaskingPolicy;

beforeAll(async () => {
  world = await startCopyWorld(async (settings) => {
    const sql = await file("nasty.sql");
    await withClient(settings, async (client) => {
      // pg sends one string as one transaction; the file has its own.
      for (const part of sql.split(/^(?:BEGIN|COMMIT);$/m)) await client.query(part);
      await client.query("ALTER ROLE reader BYPASSRLS");
      await client.query("CREATE UNIQUE INDEX CONCURRENTLY never_valid ON loose (id)").catch(() => {});
    });
  });
  await world.askSource(await file("nastyForeign.sql"));
  const found = await classifySource({ source: (await world.options()).source });
  expect(found.largeObjects).toMatchObject({ rule: "empty", reason: "3 large object(s) nobody can look into" });
  proposed = { ...(parse(proposalYaml(found)) as MaskingPolicy), largeObjects: "keep" };
  keepAll = {
    ...proposed,
    tables: Object.fromEntries(
      Object.entries(proposed.tables).map(([table, { columns = {} }]) => [table, { columns: Object.fromEntries(Object.keys(columns).map((name) => [name, "keep"])) }]),
    ) as unknown as MaskingPolicy["tables"],
  };
}, 60_000);
afterAll(() => world.stop());

/** Every table that holds rows of its own, and a digest of its rows as text, in whatever order. */
async function contents(ask: (sql: string) => Promise<Record<string, unknown>[]>): Promise<Record<string, unknown>> {
  const tables = await ask(`SELECT c.oid::regclass::text AS name, c.relkind = 'p' AS partitioned FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^(pg_|staging_|information_schema)' ORDER BY 1`);
  const entries: [string, unknown][] = [];
  for (const { name, partitioned } of tables) {
    // In production one partition of "archive" is another server's.
    const from = name === "archive" ? "ONLY archive_here" : `${partitioned === true ? "" : "ONLY "}${String(name)}`;
    const [row] = await ask(`SELECT count(*)::int AS rows, coalesce(md5(string_agg(md5(t::text), ',' ORDER BY md5(t::text))), '') AS digest FROM ${from} AS t`);
    entries.push([String(name), row]);
  }
  return Object.fromEntries(entries);
}

/** The schema's statements as pg_dump writes them, without what staging has of its own and what must not come along. */
async function schemaOf({ host, port, user, password, database }: ConnectionSettings): Promise<string[]> {
  const { stdout } = await run(
    await postgresProgram("pg_dump"),
    ["--schema-only", "--no-owner", "--no-privileges", "--no-publications", "--exclude-schema=staging_*", `--host=${host}`, `--port=${port}`, `--username=${user}`, database],
    { env: { PATH: process.env["PATH"], PGPASSWORD: password }, maxBuffer: 64 * 1024 * 1024 },
  );
  return stdout
    .split(/;\n/)
    .map((statement) => statement.replaceAll(/^(--.*|\\.*)?\n/gm, "").replace(/^INHERITS \((.*), ring_a\)/m, "INHERITS ($1)").trim())
    .filter((statement) => !/USER MAPPING|EVENT TRIGGER|ATTACH PARTITION public\.archive_there|remote_child|^SET |default_t|set_config/.test(statement))
    .toSorted();
}

const failed = (report: Awaited<ReturnType<typeof copyData>>["report"]) => report.checks.filter(({ status, severity }) => status !== "passed" && severity === "error");

describe.sequential("copy of a nasty schema", () => {
  test("everything kept: rows, large objects and the schema itself are production's", async () => {
    const { report } = await copyData(await world.options({ masking: keepAll, subset: whole }));
    expect(failed(report)).toEqual([]);
    const [there, here] = [await contents(world.askSource), await contents(world.askStaging)];
    expect(here).toEqual(there);
    expect(Object.keys(here).length).toBe(30);
    expect(here["nothing"]).toMatchObject({ rows: 3 });
    expect(here["only_generated"]).toMatchObject({ rows: 4 });
    const objects = "SELECT oid::int, length(lo_get(oid)) AS bytes, md5(lo_get(oid)) AS digest FROM pg_largeobject_metadata ORDER BY 1";
    expect(await world.askStaging(objects)).toEqual(await world.askSource(objects));
    expect(report.checks.find(({ id }) => id === "copy.large-objects")?.evidence).toBe("3 of 3 large objects, 600021 of 600021 bytes");
    const [schemaHere, schemaThere] = [await schemaOf(connectionOf(world.staging, "admin")), await schemaOf(world.production.admin("production"))];
    expect(schemaHere).toEqual(schemaThere);
    expect(schemaHere.length).toBeGreaterThan(120);
    expect(report.leftOut.toSorted()).toEqual([
      "EVENT TRIGGER - refuse understudy_admin",
      "USER MAPPING - USER MAPPING understudy_admin SERVER elsewhere understudy_admin",
      "foreign table archive_there as a part of archive",
      "foreign table remote_child as a part of ring_a",
      "login and members of role tenant_admin, which policies name",
      "rows of foreign table archive_there",
      "rows of foreign table remote",
      "rows of foreign table remote_child",
      "rows of materialized view public.remote_summary, which reads foreign tables",
    ]);
    const sequences = `SELECT nextval('down')::int AS down, nextval('never_called')::int AS never, nextval('numbered_id_seq')::int AS shared`;
    expect(await world.askStaging(sequences)).toEqual([{ down: -14, never: 5, shared: 3 }]);
    expect(await world.askStaging("SELECT relispopulated AS filled FROM pg_class WHERE relname IN ('summary', 'not_filled') ORDER BY relname")).toEqual([{ filled: false }, { filled: true }]);
    await withClient(connectionOf(world.staging, "app"), async (client) => {
      expect((await client.query("SELECT length(lo_get(900001)) AS bytes")).rows).toEqual([{ bytes: 600_000 }]);
      expect((await client.query("SELECT count(*)::int FROM archive")).rows).toEqual([{ count: 1 }]);
      await expect(client.query("SELECT * FROM remote")).rejects.toThrow(/user mapping not found/);
    });
  });

  test("as classify proposes it, masked: green, arrays in their shape, domains held", async () => {
    const columns = { ...proposed.tables["typed"]?.columns, words: { mask: "text" }, mails: { mask: "email" }, own_mail: { mask: "email" } };
    const masking = { ...proposed, tables: { ...proposed.tables, typed: { columns } } };
    const { report } = await copyData(await world.options({ masking, subset: whole }));
    expect(failed(report)).toEqual([]);
    const shape = `SELECT id, array_dims(words) AS dims, length(words[1][1]) AS length, words[2][2] IS NULL AS none, mails[2] IS NULL AS second FROM typed ORDER BY id`;
    expect(await world.askStaging(shape)).toEqual(await world.askSource(shape));
    expect(await world.askStaging(`SELECT count(*)::int FROM typed WHERE mails[1] ~ '^user-[0-9a-f]{20}@staging[.]local$' AND own_mail ~ '^user-.*@staging[.]local$' AND mails[1] <> own_mail`)).toEqual([{ count: 12 }]);
    const words = (await world.askSource("SELECT unnest(words) AS word FROM typed")).map(({ word }) => word).filter((word) => typeof word === "string");
    expect(words.length).toBeGreaterThan(20);
    expect((await world.askStaging(`SELECT unnest(words) AS word FROM typed`)).filter(({ word }) => words.includes(String(word)))).toEqual([]);
    expect(await world.askStaging(`SELECT count(*)::int FROM "user"."order" WHERE "from" COLLATE "C" ~ '^[0-9a-f]{64}$'`)).toEqual([{ count: 20 }]);
  });

  test("a subset through cycles of three, twins that refer to each other, quoted names and large objects", async () => {
    const subset = {
      version: 1,
      roots: [
        { table: "ring_a", limit: 1 },
        { table: "same_key", where: "same_key.id = 3" },
        { table: '"a(b)"', where: `"a(b)"."x, y" = 2` },
        { table: '"a.b".c' },
        { table: "scan", where: "scan.id = 1" },
        { table: "full_match" },
        { table: "by_mood", limit: 4 },
      ],
      children: { default: "skip", rules: { '"a(b)"("z)")': "follow", "mood_note(mood, id, at)": "follow" } },
    };
    const { report } = await copyData(await world.options({ masking: { ...proposed, largeObjects: "empty" }, subset }));
    expect(failed(report)).toEqual([]);
    const here = await contents(world.askStaging);
    const rows = Object.fromEntries(Object.entries(here).map(([name, row]) => [name, (row as { rows: number }).rows]));
    expect(rows).toMatchObject({ ring_a: 2, ring_b: 2, ring_c: 2, same_key: 1, twin: 1, '"a(b)"': 2, '"a.b".c': 1, scan: 1, full_match: 2, coded: 1, by_mood: 4, typed: 0 });
    expect(rows["mood_note"]).toBeGreaterThan(0);
    expect(await world.askStaging("SELECT oid::int, length(lo_get(oid)) AS bytes FROM pg_largeobject_metadata ORDER BY 1")).toEqual([
      { oid: 900_001, bytes: 0 },
      { oid: 900_002, bytes: 0 },
    ]);
    expect(report.leftOut).toContain("what 2 large object(s) hold");
    expect(report.leftOut).toContain("1 large object(s) that no copied row refers to");
  });

  test("large objects without a rule stop the copy; so does one that the role may not read; an original inside is found", async () => {
    const { largeObjects: _none, ...without } = keepAll;
    await expect(copyData(await world.options({ masking: without, subset: whole }))).rejects.toMatchObject({ exitCode: 4, message: expect.stringContaining("largeObjects: no rule for 3 large object(s)") });
    await world.askSource("SELECT lo_from_bytea(900004, 'Write to somebody@example.org')");
    const refused = await copyData(await world.options({ masking: keepAll, subset: whole })).catch((error: unknown) => error);
    expect(refused).toMatchObject({ exitCode: 2, message: expect.stringContaining("may not read all large objects") });
    await world.askSource("GRANT SELECT ON LARGE OBJECT 900004 TO reader");
    const { report } = await copyData(await world.options({ masking: keepAll, subset: whole }));
    await world.askSource("SELECT lo_unlink(900004)");
    expect(report.switched).toBe(false);
    expect(report.checks.find(({ id }) => id === "copy.large-objects-leaks")).toMatchObject({ status: "failed", evidence: expect.stringContaining("1 email address(es)") });
  });

  test("extensions that staging's server lacks are named before anything is made there", async () => {
    const before = await world.databases();
    await world.askSource(`SET allow_system_table_mods = on;
      INSERT INTO pg_extension SELECT 987654, 'postgis_of_tomorrow', extowner, extnamespace, false, '9.9', NULL, NULL FROM pg_extension WHERE extname = 'hstore'`);
    const error = await copyData(await world.options({ masking: keepAll, subset: whole })).catch((thrown: unknown) => thrown);
    await world.askSource("SET allow_system_table_mods = on; DELETE FROM pg_extension WHERE oid = 987654");
    expect(error).toMatchObject({ exitCode: 3, message: "Nothing was copied: the target lacks the extension(s) postgis_of_tomorrow.", remedy: "Install what is missing on the staging server." });
    expect(await world.databases()).toEqual(before);
  });
});
