import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { classifySource } from "../../../engine/copy/classify/classify.ts";
import type { Classification, ColumnProposal } from "../../../engine/copy/classify/classify.ts";
import { proposalYaml } from "../../../engine/copy/classify/proposalYaml.ts";
import { planCopy } from "../../../engine/copy/copy.ts";
import { maskingPolicy } from "../../../engine/masking/policy.ts";
import type { MaskingPolicy } from "../../../engine/masking/policy.ts";
import { startCopyWorld } from "../../support/copyWorld.ts";
import type { CopyWorld } from "../../support/copyWorld.ts";
import { withClient } from "../../support/postgres.ts";

let world: CopyWorld;
let found: Classification;

/** Columns `c1` … say nothing by their names: only their values, or a comment, do. */
const sql = `
  CREATE TABLE planted (
    c1 text, c2 text, c3 text, c4 text, c5 text, c6 text, c7 text, c8 text, c9 text, c10 text, c11 text, c12 text, c13 text, c14 text[], c15 jsonb, c16 inet,
    c17 text, c18 text, c19 text, c20 bytea, c21 text, c22 xml
  );
  COMMENT ON COLUMN planted.c17 IS 'PII: as the clerk understood it';
  CREATE TABLE named (
    id int PRIMARY KEY, "donorEmail" text, "PHONE_NO" varchar(20), phone text, vorname text, surname varchar(12), "date of birth" date, password_hash text, salary int,
    lat numeric(9,6), national_id varchar(11) UNIQUE, nickname varchar(30) UNIQUE, zip text, gender text, mac macaddr, words tsvector
  );
  CREATE TABLE customers (id int PRIMARY KEY, name text, born date, created_at timestamptz);
  CREATE TABLE visit (id int PRIMARY KEY, customer_id int REFERENCES customers, birthday date);
  CREATE TYPE shade AS ENUM ('light', 'dark');
  CREATE TABLE healthy (
    id uuid PRIMARY KEY, sku text, title text, status text, email_template text, phone_verified boolean, version text, etag text, isbn text, price numeric,
    shade shade, country char(2), currency text, published date, slug text, unit text, name text, settings jsonb, path text, file_name text, weight text, color text, amount text, day text
  );
  INSERT INTO planted
  SELECT 'person' || i || '@mail' || i % 9 || '.example.org',
         (ARRAY['+351 912 345 ', '(415) 555-0', '+44 20 7946 0'])[1 + i % 3] || (100 + i % 900),
         (ARRAY['Maria', 'João', 'Peter', 'Anna', 'Fritz', 'Quill', 'Odalys', 'Emma'])[1 + i % 8] || ' ' || (ARRAY['Silva', 'Müller', 'Quintero-Bode', 'Smith', 'Abelsen'])[1 + i % 5] || chr(97 + i % 26),
         (10 + i) || ' ' || (ARRAY['Rua das Flores', 'Baker Street', 'Hauptstraße', 'avenue Foch'])[1 + i % 4] || ', ' || i,
         '192.0.' || i % 200 || '.' || i % 250,
         CASE i % 2 WHEN 0 THEN '4111 1111 1111 1111' ELSE '5555-5555-5555-4444' END,
         (ARRAY['DE89 3704 0044 0532 0130 00', 'GB82WEST12345698765432', 'FR1420041010050500013M02606', 'PT50000201231234567890154'])[1 + i % 4],
         'sk_live_' || md5(i::text), encode(sha256(i::text::bytea), 'base64'),
         'The customer called on Monday and said that delivery number ' || i || ' never came, so we sent another one.',
         CASE i WHEN 77 THEN 'Red lamp, ask jo@lamps.example' ELSE 'Red lamp ' || i END,
         '{"note": "x"}', '00:1a:2b:3c:4d:' || lpad(to_hex(i % 256), 2, '0'), ARRAY['a' || i || '@b.example', 'c@d.example'],
         jsonb_build_object('k1', 'p' || i || '@x.example', 'k2', i, 'k.3', jsonb_build_array(jsonb_build_object('k4', '+49 30 1234' || (1000 + i))), 'k5', 'blue', 'x' || i, 'secret' || i),
         '198.51.100.7', 'ABC' || i, NULL, '536-22-' || (1000 + i), '\\x00', (ARRAY['London', 'Porto', 'Vienna', 'Lyon', 'Quorn'])[1 + i % 5], xmlparse(CONTENT '<mail>a' || i || '@b.example</mail>')
    FROM generate_series(1, 300) i;
  INSERT INTO named SELECT i, 'd' || i || '@e.example', '91234' || (1000 + i), '+351912' || (100000 + i), 'V' || i, 'S' || i, '1980-01-01'::date + i, md5(i::text), 1000 + i, 41.1, 'ID' || (100000000 + i), 'nick' || i, '4000-1' || i % 90, 'f', '08:00:2b:01:02:03', 'secret'
    FROM generate_series(1, 60) i;
  INSERT INTO customers SELECT i, 'Zyx ' || i, '1990-01-01', now() FROM generate_series(1, 30) i;
  INSERT INTO visit SELECT i, i, '1990-01-01' FROM generate_series(1, 30) i;
  INSERT INTO healthy SELECT gen_random_uuid(), 'AB-' || i || '-' || i * 7, 'A lamp of great beauty ' || i, (ARRAY['new', 'sold'])[1 + i % 2], 'welcome_' || i % 3, true, '1.2.' || i || '.4', md5(i::text), '978-0-306-4061' || i % 10 || '-7',
         i, 'dark', 'PT', 'EUR', '2024-01-01', 'a-lamp-of-great-beauty-' || i, 'kg', 'Lamp model ' || i, jsonb_build_object('theme', 'dark', 'items', jsonb_build_array(i)), '/products/' || i, 'lamp_' || i || '.jpg', i || ' kg', '#ff00' || lpad(i::text, 2, '0'), i || '.50', '2024-01-' || lpad((1 + i % 28)::text, 2, '0')
    FROM generate_series(1, 99) i;`;

beforeAll(async () => {
  world = await startCopyWorld(async (settings) => {
    await withClient(settings, (client) => client.query(sql));
  });
  found = await classifySource({ source: (await world.options()).source });
});
afterAll(() => world.stop());

const columnsOf = (table: string): Record<string, ColumnProposal> =>
  Object.fromEntries(found.tables.find((candidate) => candidate.table === table)?.columns.map((column) => [column.column, column]) ?? []);
const rulesOf = (table: string) => Object.fromEntries(Object.entries(columnsOf(table)).map(([name, { rule }]) => [name, rule]));

describe.sequential("copy classify", () => {
  test("finds every kind of personal data by values alone", () => {
    expect(rulesOf("planted")).toEqual({
      c1: "email",
      c2: "phone",
      c3: "full-name",
      c4: "address",
      c5: "ip",
      c6: "card",
      c7: "token",
      c8: "token",
      c9: "token",
      c10: "text",
      c11: "redact",
      c12: "keep",
      c13: "token",
      c14: "email",
      c15: { mask: "json", others: "drop", paths: { '"k.3"[].k4': "phone", k1: "email", k2: "keep", k5: "keep" } },
      c16: "ip",
      c17: "text",
      c18: "keep",
      c19: "token",
      c20: "null",
      c21: "city",
      c22: "null",
    });
    const planted = columnsOf("planted");
    for (const name of ["c1", "c2", "c4", "c5", "c8", "c13", "c14"]) expect(planted[name]).toMatchObject({ confidence: "high" });
    expect(planted["c1"]?.reason).toBe("100% of 300 different value(s) look like email addresses");
    expect(planted["c18"]).toMatchObject({ confidence: "low", reason: "no values to look at" });
  });

  test("finds it by names, in several languages and spellings, with rules that fit the column", () => {
    expect(rulesOf("named")).toEqual({
      id: "keep",
      donorEmail: "email",
      PHONE_NO: "phone",
      phone: "phone",
      vorname: "first-name",
      surname: "last-name",
      "date of birth": { mask: "date-shift", subject: "id" },
      password_hash: "token",
      salary: { mask: "number", noisePercent: 20 },
      lat: { mask: "number", bucket: 1 },
      national_id: "token",
      nickname: "hash",
      zip: "card",
      gender: "keep",
      mac: { mask: "expression", sql: "trunc({value})" },
      words: { mask: "expression", sql: "''::tsvector" },
    });
    expect(rulesOf("customers")).toMatchObject({ name: "full-name", born: { mask: "date-shift", subject: "id" }, created_at: "keep" });
    expect(rulesOf("visit")).toMatchObject({ customer_id: "follow", birthday: { mask: "date-shift", subject: "customer_id" } });
  });

  test("is silent on healthy columns", () => {
    const loud = Object.values(columnsOf("healthy")).filter(({ rule, confidence }) => rule !== "keep" || confidence === "low");
    expect(loud).toEqual([]);
  });

  test("shows no value, neither in YAML nor in JSON, and writes nothing in production", async () => {
    const output = proposalYaml(found) + JSON.stringify(found);
    const values = await world.askSource(`
      SELECT unnest(ARRAY[c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c13, c19, c14[1], c15 ->> 'k1', host(c16)]) AS v FROM planted
      UNION SELECT unnest(ARRAY["donorEmail", vorname || ' ', phone, password_hash, national_id, nickname]) FROM named UNION SELECT name FROM customers
      UNION SELECT 'secret' || n FROM generate_series(1, 300) n UNION SELECT unnest(ARRAY[sku, title, slug]) FROM healthy`);
    expect(values.length).toBeGreaterThan(3_000);
    expect(values.filter(({ v }) => typeof v === "string" && output.includes(v))).toEqual([]);
    const log = await readFile(`${world.production.folder}/data/log/statements.log`, "utf8");
    expect(log).toContain("regexp_split_to_array");
    const [xid] = await world.askSource("SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xid");
    await classifySource({ source: (await world.options()).source });
    expect(await world.askSource("SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xid")).toEqual([xid]);
  });

  test("its YAML is a policy that a copy accepts as it is", async () => {
    const masking = parse(proposalYaml(found)) as unknown;
    expect(Object.keys(maskingPolicy.parse(masking).tables)).toHaveLength(found.tables.length);
    const plan = await planCopy(await world.options({ masking, subset: { version: 1, whole: "all" } }));
    expect(plan.tables.find(({ table }) => table === "planted")?.columns.find(({ column }) => column === "c1")?.samples[0]).toMatch(/@staging\.local$/);
  });

  test("--missing proposes only what no rule names, and a foreign key needs none", async () => {
    const policy = parse(proposalYaml(found)) as MaskingPolicy;
    const { c1: _c1, c15: _c15, ...rest } = policy.tables["planted"]?.columns ?? {};
    const { customer_id: _id, ...visit } = policy.tables["visit"]?.columns ?? {};
    const tables = { ...policy.tables, planted: { columns: rest }, visit: { columns: visit }, healthy: { leaveOut: true } };
    const source = (await world.options()).source;
    const missing = await classifySource({ source, missingFrom: maskingPolicy.parse({ version: 1, tables }) });
    expect(missing.tables.map(({ table, columns }) => ({ table, columns: columns.map(({ column }) => column) }))).toEqual([{ table: "planted", columns: ["c1", "c15"] }]);
    expect(Object.keys((parse(proposalYaml(missing)) as MaskingPolicy).tables)).toEqual(["planted"]);
    const none = await classifySource({ source, missingFrom: maskingPolicy.parse(policy) });
    expect(proposalYaml(none)).toBe("# Every column has a rule.\n");
  });

  test("a role that could write is refused, as it is by the copy", async () => {
    await expect(classifySource({ source: world.production.admin("production") })).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining("is a superuser") });
  });
});
