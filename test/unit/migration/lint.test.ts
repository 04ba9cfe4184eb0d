import { describe, expect, test } from "vitest";
import { lintDefinitions, lintFile, lintOutcome } from "../../../engine/migration/lint/lint.ts";
import { lintRules } from "../../../engine/migration/lint/rules.ts";
import { up } from "./parsing.ts";

const timeout = "SET lock_timeout = '1s';\n";

/** Every rule with what it must find and what it must leave alone: among the latter, its own remedy. */
const cases: Readonly<Record<string, { readonly bad: readonly string[]; readonly good: readonly string[] }>> = {
  "index-without-concurrently": {
    bad: ["CREATE INDEX i ON t (a);", "CREATE UNIQUE INDEX ON s.t (a);"],
    good: ["CREATE INDEX CONCURRENTLY i ON t (a);", "CREATE TABLE t (a int); CREATE INDEX i ON t (a);", 'CREATE TABLE "T" AS SELECT 1 AS a; CREATE INDEX i ON "T" (a);'],
  },
  "drop-index-without-concurrently": { bad: ["DROP INDEX i;"], good: ["DROP INDEX CONCURRENTLY i;", "DROP TABLE t;"] },
  "column-type-change": {
    bad: ["ALTER TABLE t ALTER COLUMN a TYPE bigint;", "ALTER TABLE t ALTER a TYPE varchar(10);"],
    good: ["ALTER TABLE t ALTER COLUMN a TYPE text;", "ALTER TABLE t ALTER a TYPE varchar;", "CREATE TABLE t (a int); ALTER TABLE t ALTER a TYPE bigint;"],
  },
  "volatile-default": {
    bad: ["ALTER TABLE t ADD a uuid DEFAULT gen_random_uuid();", "ALTER TABLE t ADD a timestamptz DEFAULT clock_timestamp();", "ALTER TABLE t ADD id bigserial;", "ALTER TABLE t ADD id bigint GENERATED ALWAYS AS IDENTITY;"],
    good: ["ALTER TABLE t ADD a timestamptz DEFAULT now();", "ALTER TABLE t ADD a int DEFAULT 5;", "ALTER TABLE t ADD a uuid; ALTER TABLE t ALTER a SET DEFAULT gen_random_uuid();"],
  },
  "not-null-without-default": {
    bad: ["ALTER TABLE t ADD COLUMN a int NOT NULL;"],
    good: ["ALTER TABLE t ADD COLUMN a int NOT NULL DEFAULT 1;", "ALTER TABLE t ADD COLUMN a int;", "CREATE TABLE t (); ALTER TABLE t ADD a int NOT NULL;"],
  },
  "set-not-null": {
    bad: ["ALTER TABLE t ALTER a SET NOT NULL;"],
    good: ["ALTER TABLE t VALIDATE CONSTRAINT c; ALTER TABLE t ALTER a SET NOT NULL;", "ALTER TABLE t ALTER a DROP NOT NULL;"],
  },
  "constraint-without-not-valid": {
    bad: ["ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);", "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id);", "ALTER TABLE t ADD a int DEFAULT 1 REFERENCES u (id);", "ALTER TABLE t ADD a int DEFAULT 1 CHECK (a > 0);"],
    good: ["ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;", "ALTER TABLE t ADD a int REFERENCES u (id);", "CREATE TABLE t (a int); ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id);"],
  },
  "validated-in-same-transaction": {
    bad: ["ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c;"],
    good: ["ALTER TABLE t VALIDATE CONSTRAINT c;", "-- understudy: no-transaction\nALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c;"],
  },
  "unique-constraint-without-index": {
    bad: ["ALTER TABLE t ADD CONSTRAINT c UNIQUE (a);", "ALTER TABLE t ADD PRIMARY KEY (a);", "ALTER TABLE t ADD COLUMN a text UNIQUE;", "ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING gist (a WITH &&);"],
    good: ["ALTER TABLE t ADD COLUMN a text;", "ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;", "CREATE TABLE t (a int); ALTER TABLE t ADD PRIMARY KEY (a);"],
  },
  "rename-in-use": {
    bad: ["ALTER TABLE t RENAME TO u;", "ALTER TABLE t RENAME COLUMN a TO b;", "ALTER VIEW v RENAME TO w;", "ALTER SCHEMA s RENAME TO r;", "ALTER TYPE e RENAME VALUE 'a' TO 'b';"],
    good: ["ALTER TYPE e ADD VALUE 'b';", "ALTER INDEX i RENAME TO j;", "CREATE TABLE t (a int); ALTER TABLE t RENAME TO u;", "ALTER TABLE t RENAME CONSTRAINT c TO d;"],
  },
  "drop-table": { bad: ["DROP TABLE t;"], good: ["DROP VIEW v;"] },
  "drop-column": { bad: ["ALTER TABLE t DROP COLUMN a;"], good: ["ALTER TABLE t DROP CONSTRAINT c;"] },
  truncate: { bad: ["TRUNCATE t;", "TRUNCATE t CASCADE;"], good: ["DELETE FROM t WHERE a = 1;"] },
  "update-without-where": {
    bad: ["UPDATE t SET a = 1;", "DELETE FROM t;"],
    good: ["UPDATE t SET a = 1 WHERE a IS NULL;", "CREATE TABLE t (a int); UPDATE t SET a = 1;"],
  },
  "enum-value-in-own-transaction": {
    bad: ["ALTER TYPE e ADD VALUE 'x'; UPDATE t SET a = 'x' WHERE b = 1;"],
    good: ["ALTER TYPE e RENAME VALUE 'y' TO 'x'; UPDATE t SET a = 'x' WHERE b = 1;", "ALTER TYPE e ADD VALUE 'x';", "-- understudy: no-transaction\nALTER TYPE e ADD VALUE 'x'; UPDATE t SET a = 'x' WHERE b = 1;", "ALTER TYPE e ADD VALUE 'x'; UPDATE t SET a = 'y' WHERE b = 1;"],
  },
  "lock-table": { bad: ["LOCK TABLE t;"], good: ["SELECT 1;"] },
  "vacuum-full": { bad: ["VACUUM FULL t;", "CLUSTER t USING i;"], good: ["VACUUM t;", "ANALYZE t;"] },
  "reindex-without-concurrently": { bad: ["REINDEX TABLE t;"], good: ["REINDEX TABLE CONCURRENTLY t;"] },
  "json-column": { bad: ["ALTER TABLE t ADD a json;"], good: ["ALTER TABLE t ADD a jsonb;"] },
  "narrow-integer-key": {
    bad: ["CREATE TABLE t (id int PRIMARY KEY);", "CREATE TABLE t (id serial PRIMARY KEY);"],
    good: ["CREATE TABLE t (id bigint PRIMARY KEY, n int);", "CREATE TABLE t (id uuid PRIMARY KEY);"],
  },
  "missing-lock-timeout": {
    bad: ["ALTER TABLE t ADD a int;", "SET lock_timeout = 0; ALTER TABLE t ADD a int;", "SET LOCAL lock_timeout TO '0ms'; DROP TABLE t;", "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();", "TRUNCATE t;", "CREATE INDEX i ON t (a);"],
    good: [`${timeout}ALTER TABLE t ADD a int;`, "SET LOCAL lock_timeout = 500; ALTER TABLE t ADD a int;", "CREATE TABLE t (); ALTER TABLE t ADD a int;", "UPDATE t SET a = 1 WHERE b = 2;"],
  },
  "if-not-exists-concurrently": { bad: ["CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a);"], good: ["CREATE INDEX CONCURRENTLY i ON t (a);", "CREATE INDEX IF NOT EXISTS i ON t (a);"] },
  "drop-not-null": { bad: ["ALTER TABLE t ALTER a DROP NOT NULL;"], good: ["ALTER TABLE t ALTER a SET NOT NULL;", "CREATE TABLE t (a int NOT NULL); ALTER TABLE t ALTER a DROP NOT NULL;"] },
  "domain-constraint": { bad: ["ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0);"], good: ["ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID;", "ALTER DOMAIN d VALIDATE CONSTRAINT c;", "ALTER DOMAIN d SET DEFAULT 1;"] },
  "drop-cascade": { bad: ["DROP TABLE t CASCADE;", "ALTER TABLE t DROP COLUMN a CASCADE;", "DROP TYPE e CASCADE;"], good: ["DROP TABLE t;", "TRUNCATE t CASCADE;", "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id) ON DELETE CASCADE;"] },
  "storage-rewrite": {
    bad: ["ALTER TABLE t SET UNLOGGED;", "ALTER TABLE t SET LOGGED;", "ALTER TABLE t SET TABLESPACE fast;", "ALTER TABLE t SET ACCESS METHOD heap2;"],
    good: ["CREATE TABLE t (a int); ALTER TABLE t SET UNLOGGED;", "ALTER TABLE t SET (fillfactor = 90);"],
  },
  "attach-partition": {
    bad: ["ALTER TABLE p ATTACH PARTITION q FOR VALUES IN (1);"],
    good: ["CREATE TABLE q (a int); ALTER TABLE p ATTACH PARTITION q FOR VALUES IN (1);", "ALTER TABLE q VALIDATE CONSTRAINT c; ALTER TABLE p ATTACH PARTITION q FOR VALUES IN (1);"],
  },
  "detach-without-concurrently": { bad: ["ALTER TABLE p DETACH PARTITION q;"], good: ["ALTER TABLE p DETACH PARTITION q CONCURRENTLY;"] },
  "refresh-without-concurrently": { bad: ["REFRESH MATERIALIZED VIEW m;"], good: ["REFRESH MATERIALIZED VIEW CONCURRENTLY m;", "CREATE MATERIALIZED VIEW m AS SELECT 1; REFRESH MATERIALIZED VIEW m;"] },
  "triggers-off": { bad: ["ALTER TABLE t DISABLE TRIGGER g;", "ALTER TABLE t DISABLE TRIGGER ALL;", "SET session_replication_role = replica;"], good: ["ALTER TABLE t ENABLE TRIGGER g;", "SET session_replication_role = DEFAULT;"] },
  "clock-decides": {
    bad: ["DELETE FROM t WHERE a < now() - interval '1 day';", "UPDATE t SET b = 1 WHERE a < CURRENT_DATE;", "INSERT INTO u SELECT * FROM t WHERE age(a) > '1 year';", "WITH old AS (DELETE FROM t WHERE a < clock_timestamp() RETURNING *) INSERT INTO u SELECT * FROM old;"],
    good: ["UPDATE t SET a = now() WHERE b = 1;", "DELETE FROM t WHERE a < timestamptz '2026-01-01 00:00+00';", "DELETE FROM t WHERE age(a, b) > '1 year';", "SELECT FROM t WHERE a < now();", "UPDATE t SET b = 1 WHERE c = current_user;"],
  },
  "long-name": {
    bad: [`CREATE INDEX CONCURRENTLY ${"i".repeat(64)} ON t (a);`, `ALTER TABLE t ADD COLUMN "${"ü".repeat(32)}" int;`],
    good: [`CREATE INDEX CONCURRENTLY ${"i".repeat(63)} ON t (a);`, `COMMENT ON TABLE t IS '${"x".repeat(80)}';`, `DO $$ BEGIN RAISE NOTICE 'x'; END $$; -- ${"y".repeat(80)}`],
  },
  "concurrently-in-transaction": { bad: ["SELECT 1; BEGIN; CREATE INDEX CONCURRENTLY i ON t (a); COMMIT;"], good: ["BEGIN; SELECT 1; COMMIT; CREATE INDEX CONCURRENTLY i ON t (a);"] },
  "transaction-left-open": { bad: ["BEGIN; ALTER TABLE t ADD a int;", "SELECT 1; START TRANSACTION; SELECT 2;"], good: ["BEGIN; SELECT 1; COMMIT; SELECT 2;", "BEGIN; SELECT 1; ROLLBACK; SELECT 2;", "SELECT 1;"] },
};

const foundBy = async (name: string, sql: string) => lintFile(await up(sql)).filter(({ rule }) => rule.name === name);

test("every rule has its cases", () => {
  expect(Object.keys(cases).toSorted()).toEqual(lintRules.map(({ name }) => name).toSorted());
});

describe.each(Object.entries(cases))("%s", (name, { bad, good }) => {
  test.each(bad)("finds: %s", async (sql) => {
    const found = await foundBy(name, sql);
    expect(found).toHaveLength(1);
    expect(found[0]?.place).toMatch(/^0001_case\.up\.sql:\d+$/);
  });
  test.each(good)("is silent: %s", async (sql) => {
    expect(await foundBy(name, sql)).toEqual([]);
  });
});

test("becomes a check that names the place and the safe way", async () => {
  const file = await up("CREATE INDEX i ON t (a);");
  const definition = lintDefinitions.find(({ id }) => id === "edge-cases.lint-index-without-concurrently");
  expect(definition?.remedy).toContain("CONCURRENTLY");
  if (definition === undefined) throw new Error("no such definition");
  expect(lintOutcome(definition.rule, lintFile(file), 1)).toMatchObject({ status: "failed", evidence: expect.stringContaining("0001_case.up.sql:1: index i on public.t") as string });
});

test("a lock_timeout that the session has from the start counts, until the file takes it away", async () => {
  const found = async (sql: string) => lintFile(await up(sql), { hasLockTimeout: true }).filter(({ rule }) => rule.name === "missing-lock-timeout").length;
  expect(await found("ALTER TABLE t ADD a int;")).toBe(0);
  expect(await found("SET lock_timeout = 0; ALTER TABLE t ADD a int;")).toBe(1);
});
