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
    bad: ["ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);", "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id);", "ALTER TABLE t ADD a int DEFAULT 1 REFERENCES u (id);"],
    good: ["ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;", "ALTER TABLE t ADD a int REFERENCES u (id);", "CREATE TABLE t (a int); ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u (id);"],
  },
  "validated-in-same-transaction": {
    bad: ["ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c;"],
    good: ["ALTER TABLE t VALIDATE CONSTRAINT c;", "-- understudy: no-transaction\nALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c;"],
  },
  "unique-constraint-without-index": {
    bad: ["ALTER TABLE t ADD CONSTRAINT c UNIQUE (a);", "ALTER TABLE t ADD PRIMARY KEY (a);"],
    good: ["ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i;", "CREATE TABLE t (a int); ALTER TABLE t ADD PRIMARY KEY (a);"],
  },
  "rename-in-use": {
    bad: ["ALTER TABLE t RENAME TO u;", "ALTER TABLE t RENAME COLUMN a TO b;"],
    good: ["ALTER INDEX i RENAME TO j;", "CREATE TABLE t (a int); ALTER TABLE t RENAME TO u;", "ALTER TABLE t RENAME CONSTRAINT c TO d;"],
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
    good: ["ALTER TYPE e ADD VALUE 'x';", "-- understudy: no-transaction\nALTER TYPE e ADD VALUE 'x'; UPDATE t SET a = 'x' WHERE b = 1;", "ALTER TYPE e ADD VALUE 'x'; UPDATE t SET a = 'y' WHERE b = 1;"],
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
    bad: ["ALTER TABLE t ADD a int;"],
    good: [`${timeout}ALTER TABLE t ADD a int;`, "SET LOCAL lock_timeout = 500; ALTER TABLE t ADD a int;", "CREATE TABLE t (); ALTER TABLE t ADD a int;", "UPDATE t SET a = 1 WHERE b = 2;"],
  },
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
