import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, asyncProperty, array, constantFrom } from "fast-check";
import { describe, expect, test } from "vitest";
import { readMigrationFolder } from "../../../engine/migration/source/folder.ts";
import { derivedChanges, droppedNames, namedRelations } from "../../../engine/migration/source/scope.ts";
import { up } from "./parsing.ts";

describe("statements", () => {
  test("each with its own text and line, comments and multi-byte characters before it notwithstanding", async () => {
    const file = await up("-- ünïcødé 🦊\nSELECT 'é;é';\n\n/* two\nlines */\n  ALTER TABLE t ADD COLUMN a int;\nDO $$ BEGIN; END $$");
    expect(file.statements.map(({ index, line, kind, sql }) => [index, line, kind, sql])).toEqual([
      [0, 2, "SelectStmt", "SELECT 'é;é'"],
      [1, 6, "AlterTableStmt", "ALTER TABLE t ADD COLUMN a int"],
      [2, 7, "DoStmt", "DO $$ BEGIN; END $$"],
    ]);
  });

  test("any mix of statements, spaces and comments comes apart into the same statements", async () => {
    const statement = constantFrom("SELECT 1", "UPDATE t SET a = 'ü;'", "CREATE TABLE \"Ä\" (b int)", "DROP VIEW v");
    const gap = constantFrom("\n", "  ", "\n-- ö;\n", "/* ; */", "\n\n\t");
    await assert(
      asyncProperty(array(statement, { minLength: 1, maxLength: 6 }), array(gap, { minLength: 6, maxLength: 6 }), async (statements, gaps) => {
        const text = statements.map((sql, index) => `${gaps[index] ?? ""}${sql};`).join("");
        const { statements: found } = await up(text);
        expect(found.map(({ sql }) => sql)).toEqual(statements);
        for (const { line, sql } of found) expect(text.split("\n")[line - 1]).toContain(sql.slice(0, 6));
      }),
    );
  });

  test.each([
    ["\\i other.sql", /0001_case\.up\.sql:2: \\i is a command of psql/],
    ["SELEC 1;", /0001_case\.up\.sql:2: syntax error/],
    ["COPY t FROM stdin;", /0001_case\.up\.sql:2: COPY from or to the client/],
    ["DROP DATABASE staging_db;", /0001_case\.up\.sql:2: .*beyond the clone/],
    ["ALTER DATABASE staging_db SET search_path = x;", /beyond the clone/],
    ["ALTER DATABASE a RENAME TO b;", /beyond the clone/],
    ["ALTER DATABASE a OWNER TO b;", /beyond the clone/],
    ["REVOKE CONNECT ON DATABASE a FROM b;", /beyond the clone/],
    ["COMMENT ON DATABASE a IS 'b';", /beyond the clone/],
    ["ALTER SYSTEM SET work_mem = '1GB';", /beyond the clone/],
  ])("refused: %s", async (text, message) => {
    await expect(up(`SELECT 1;\n${text}\n`)).rejects.toThrow(message);
  });

  test("an unknown directive is refused", async () => {
    await expect(up("-- understudy: no-transactions\nSELECT 1;")).rejects.toThrow(/unknown directive/);
  });
});

describe("one transaction or not", () => {
  test.each([
    ["SELECT 1;", undefined],
    ["-- understudy: no-transaction\nSELECT 1;", /no-transaction/],
    ["CREATE INDEX CONCURRENTLY i ON t (a);", /CREATE INDEX CONCURRENTLY/],
    ["DROP INDEX CONCURRENTLY i;", /DROP INDEX CONCURRENTLY/],
    ["REINDEX INDEX CONCURRENTLY i;", /REINDEX/],
    ["REINDEX INDEX i;", undefined],
    ["VACUUM t;", /VACUUM/],
    ["ANALYZE t;", undefined],
    ["ALTER TABLE p DETACH PARTITION c CONCURRENTLY;", /DETACH PARTITION/],
    ["ALTER TYPE e ADD VALUE 'x';", undefined],
    ["BEGIN; SELECT 1; COMMIT;", undefined],
    ["BEGIN; SELECT 1; COMMIT; SELECT 2;", /begins and ends its transactions itself/],
  ])("%s", async (text, why) => {
    const { withoutTransaction } = await up(text);
    if (why === undefined) expect(withoutTransaction).toBeUndefined();
    else expect(withoutTransaction).toMatch(why);
  });

  test("a BEGIN and COMMIT around the whole file are no statements of their own", async () => {
    expect((await up("BEGIN;\nCREATE INDEX CONCURRENTLY i ON t (a);\nCOMMIT;")).statements.map(({ kind }) => kind)).toEqual(["TransactionStmt", "IndexStmt", "TransactionStmt"]);
    expect((await up("BEGIN;\nSELECT 1;\nSELECT 2;\nCOMMIT;")).statements.map(({ index, line }) => [index, line])).toEqual([[0, 2], [1, 3]]);
  });
});

describe("what the text says it changes", () => {
  test("columns of UPDATE, rows of INSERT, DELETE and TRUNCATE, in CTEs too", async () => {
    const file = await up(`WITH gone AS (DELETE FROM a.old RETURNING id) INSERT INTO "New" SELECT id FROM gone ON CONFLICT (id) DO UPDATE SET seen = now();
      UPDATE t SET x = 1, y = 2; TRUNCATE u;`);
    expect(derivedChanges(file)).toEqual(
      expect.arrayContaining([
        { table: "a.old", columns: [], rows: ["delete"] },
        { table: 'public."New"', columns: ["seen"], rows: ["insert"] },
        { table: "public.t", columns: ["x", "y"], rows: [] },
        { table: "public.u", columns: [], rows: ["delete"] },
      ]),
    );
  });

  test("names dropped, renamed and referred to", async () => {
    const file = await up(`ALTER TABLE t DROP COLUMN a, DROP CONSTRAINT c; DROP INDEX s.i; ALTER TABLE t RENAME COLUMN b TO d; ALTER TABLE "User" RENAME TO people;`);
    expect([...droppedNames(file)].toSorted()).toEqual(["User", "a", "b", "c", "d", "i", "people", "s"]);
    expect([...namedRelations(file)].toSorted()).toEqual(['public."User"', "public.t"]);
  });
});

describe("a folder of migrations", () => {
  const inFolder = async <Result>(files: Readonly<Record<string, string>>, use: (folder: string) => Promise<Result>): Promise<Result> => {
    const folder = await mkdtemp(join(tmpdir(), "understudy-migrations-"));
    try {
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
      return await use(folder);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  test("in the order of their numbers, each with its way back or without", async () => {
    const found = await inFolder({ "0002_b.up.sql": "SELECT 2", "0001_a.up.sql": "SELECT 1", "0001_a.down.sql": "SELECT 0", "notes.md": "" }, readMigrationFolder);
    expect(found.map(({ name, down }) => [name, down?.name])).toEqual([["0001_a", "0001_a.down.sql"], ["0002_b", undefined]]);
  });

  test("names everything wrong at once", async () => {
    const files = { "0001_a.up.sql": "SELEC", "0001_b.up.sql": "SELECT 1", "0002_c.down.sql": "SELECT 1", "0003_d.up.sql": "-- nothing", "x.sql": "", "0001_e.up.sql": "SELECT 1" };
    await expect(inFolder(files, readMigrationFolder)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/x\.sql.*0001_a\.up\.sql:1: syntax error.*0002_c.*without its up.*0003_d.*no statement.*0001 is taken/s) as string,
    });
  });

  test("an empty folder is an error", async () => {
    await expect(inFolder({}, readMigrationFolder)).rejects.toThrow(/no migration in it/);
  });
});
