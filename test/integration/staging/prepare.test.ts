import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UnderstudyError } from "../../../engine/errors.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import type { StagingDatabase } from "../../../engine/staging/database.ts";
import { assertStaging, readMarker } from "../../../engine/staging/marker.ts";
import { prepareStaging } from "../../../engine/staging/prepare.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";
import type { Workload } from "../../../engine/workload/manifest.ts";
import { runUntilKilled } from "../../support/diesAt.ts";
import { startPostgres, withClient } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";

let server: TestServer;
let workload: Workload;
let staging: StagingDatabase;
let log: string;

beforeAll(async () => {
  const folder = "understudy-prepare-log";
  server = await startPostgres({
    log_statement: "all",
    log_min_duration_statement: "0",
    logging_collector: "on",
    log_directory: folder,
    log_filename: "server.log",
  });
  log = `${server.folder}/data/${folder}/server.log`;
  workload = await loadWorkload("workloads/stories");
  staging = {
    host: server.host,
    port: server.port,
    database: "staging_db",
    passwords: { admin: server.adminPassword, owner: "owner-secret-1'x", app: "app-secret-2\\y", readOnly: "reader-secret-3" },
  };
});
afterAll(() => server.stop("immediate"));

const run = (sql: string, role: "admin" | "owner" | "app" | "readOnly") =>
  withClient(connectionOf(staging, role), (client) => client.query(sql));
const prepare = (changes: Partial<StagingDatabase> = {}, stack = "local") =>
  prepareStaging({ staging: { ...staging, ...changes }, workload, stack });

describe.sequential("prepareStaging", () => {
  test("makes everything on a server that has only the superuser", async () => {
    const { created, systemIdentifier } = await prepare();
    expect(created).toEqual([
      "role staging_owner", "role staging_user", "role staging_readonly", "database staging_db", "schema of stories", "staging marker",
    ]);
    expect(systemIdentifier).toMatch(/^\d{10,}$/);
    expect(await readMarker(connectionOf(staging, "app"))).toMatchObject({ stack: "local" });
    const { rows } = await run("SELECT event, detail->>'stack' AS stack FROM staging_logs.init_log", "readOnly");
    expect(rows).toEqual([{ event: "prepared", stack: "local" }]);
  });

  test("a second run changes nothing", async () => {
    const verifiers = () => run("SELECT rolname, rolpassword FROM pg_authid ORDER BY 1", "admin").then((result) => result.rows);
    const before = await verifiers();
    expect((await prepare()).created).toEqual([]);
    expect(await verifiers()).toEqual(before);
    expect((await run("SELECT FROM staging_logs.init_log", "app")).rowCount).toBe(1);
  });

  test("the application reads and writes rows of its tables, and no more", async () => {
    await run(`INSERT INTO "User" ("email") VALUES ('a@example.org')`, "app");
    await run(`INSERT INTO "Donation" ("amountCents") VALUES (5)`, "app");
    await run(`UPDATE "User" SET "name" = 'A'; DELETE FROM "Donation"`, "app");
    for (const sql of [
      "CREATE TABLE public.mine ()", "CREATE SCHEMA mine", "CREATE TEMP TABLE mine ()", 'ALTER TABLE "User" ADD x int', 'TRUNCATE "User"',
      "DELETE FROM staging_logs.marker", "UPDATE staging_logs.marker SET stack = 'x'",
      "INSERT INTO staging_migrations.role_migration_log (migration, user_id, old_role, new_role) VALUES ('m', gen_random_uuid(), 'a', 'b')",
    ]) {
      await expect(run(sql, "app"), sql).rejects.toMatchObject({ code: "42501" });
    }
  });

  test("the read-only role selects everywhere, monitors, and writes nowhere", async () => {
    expect((await run('SELECT "email" FROM "User"', "readOnly")).rowCount).toBe(1);
    await run("SELECT * FROM staging_migrations.test_results", "readOnly");
    expect((await run("SELECT pg_has_role('pg_monitor', 'member') AS member", "readOnly")).rows).toEqual([{ member: true }]);
    await expect(run('DELETE FROM "User"', "readOnly")).rejects.toMatchObject({ code: "25006" });
    await expect(run('SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; BEGIN READ WRITE; DELETE FROM "User"', "readOnly")).rejects.toMatchObject({ code: "42501" });
  });

  test("the owner owns everything, and what a migration makes is granted by itself", async () => {
    const { rows } = await run(
      `SELECT DISTINCT pg_get_userbyid(c.relowner) AS owner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname !~ '^(pg_|information_schema)'`,
      "admin",
    );
    expect(rows).toEqual([{ owner: "staging_owner" }]);
    await run("CREATE TABLE later (id bigserial PRIMARY KEY, note text)", "owner");
    await run("INSERT INTO later (note) VALUES ('x')", "app");
    expect((await run("SELECT * FROM later", "readOnly")).rowCount).toBe(1);
    await run("DROP TABLE later", "owner");
  });

  test("what an administrator made becomes the owner's: tables, sequences, views, types, functions, schemas", async () => {
    await run(
      `CREATE SCHEMA "Odd Name"; CREATE TYPE "Odd Name"."Mood" AS ENUM ('a'); CREATE DOMAIN "Odd Name".d AS text;
       CREATE TYPE "Odd Name".pair AS (a int, b int); CREATE TABLE "Odd Name".t (id serial, m "Odd Name"."Mood", d "Odd Name".d);
       CREATE SEQUENCE "Odd Name".s; CREATE VIEW "Odd Name".v AS SELECT 1 AS one; CREATE MATERIALIZED VIEW "Odd Name".mv AS SELECT 1 AS one;
       CREATE FUNCTION "Odd Name".f("x y" int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE EXTENSION pg_stat_statements`,
      "admin",
    );
    expect((await prepare()).created).toEqual([]);
    const { rows } = await run(
      `SELECT DISTINCT pg_get_userbyid(owner) AS owner FROM (
         SELECT relowner AS owner, relnamespace AS space FROM pg_class UNION ALL SELECT typowner, typnamespace FROM pg_type
         UNION ALL SELECT proowner, pronamespace FROM pg_proc UNION ALL SELECT nspowner, oid FROM pg_namespace) every
        WHERE space = (SELECT oid FROM pg_namespace WHERE nspname = 'Odd Name')`,
      "admin",
    );
    expect(rows).toEqual([{ owner: "staging_owner" }]);
    await run('SELECT * FROM "Odd Name".v', "app");
    await run('DROP SCHEMA "Odd Name" CASCADE', "owner");
  });

  test("nobody else may connect", async () => {
    await run("CREATE ROLE stranger LOGIN PASSWORD 'x'", "admin");
    for (const database of ["staging_db", "postgres", "template1"]) {
      const login = withClient({ ...connectionOf(staging, "admin", database), user: "stranger", password: "x" }, () => Promise.resolve());
      await expect(login, database).rejects.toMatchObject({ code: "42501" });
    }
  });

  test("a changed password is set, and only that one", async () => {
    const passwords = { ...staging.passwords, app: "app-secret-4" };
    expect((await prepare({ passwords })).created).toEqual(["role staging_user"]);
    staging = { ...staging, passwords };
    await run("SELECT 1", "app");
  });

  test("no password is in the server's log", async () => {
    const text = await readFile(log, "utf8");
    expect(text).toContain("CREATE DATABASE");
    for (const secret of ["owner-secret", "app-secret", "reader-secret", "SCRAM-SHA-256$"]) expect(text).not.toContain(secret);
  });

  test("goes on from a kill between CREATE DATABASE and its contents", async () => {
    await run("CREATE DATABASE half_made TEMPLATE template0", "admin");
    expect((await prepare({ database: "half_made" })).created).toEqual(["schema of stories", "staging marker"]);
  });

  test.each(["roles", "database killed_db"])("killed at %s: the next run converges", async (at) => {
    const killed = { ...staging, database: "killed_db" };
    await runUntilKilled(`${import.meta.dirname}/prepareAndDie.ts`, { at, staging: killed, stack: "local" });
    await prepareStaging({ staging: killed, workload, stack: "local" });
    expect(await readMarker(connectionOf(killed, "app"))).toMatchObject({ stack: "local" });
    expect((await prepareStaging({ staging: killed, workload, stack: "local" })).created).toEqual([]);
    await withClient(connectionOf(staging, "admin"), (client) => client.query("DROP DATABASE killed_db"));
  });

  test("refuses a database with tables and no marker, and leaves it as it was", async () => {
    await run("CREATE DATABASE production", "admin");
    const production = connectionOf(staging, "admin", "production");
    await withClient(production, (client) => client.query("CREATE TABLE precious (id int)"));
    await expect(prepare({ database: "production" })).rejects.toMatchObject({ exitCode: 4, message: expect.stringContaining("no staging marker") });
    const { rows } = await withClient(production, (client) =>
      client.query("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'staging%'"));
    expect(rows).toEqual([]);
    await expect(assertStaging(production)).rejects.toMatchObject({ exitCode: 4 });
  });

  test("refuses another stack's database", async () => {
    await expect(prepare({}, "other")).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('belongs to stack "local"') });
    await expect(assertStaging(connectionOf(staging, "app"), "other")).rejects.toMatchObject({ exitCode: 2 });
    await expect(assertStaging(connectionOf(staging, "app"), "local")).resolves.toMatchObject({ stack: "local" });
  });

  test("a wrong password or a server that is down: exit 3, no secret in the message", async () => {
    const passwords = { ...staging.passwords, admin: "wrong-secret" };
    const refused = await prepare({ passwords }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(UnderstudyError);
    expect(refused).toMatchObject({ exitCode: 3 });
    expect(String(refused)).not.toContain("wrong-secret");
    await expect(prepare({ port: 1 })).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining("127.0.0.1:1/postgres") });
  });

  test("a workload's wrong SQL names its file and leaves no half schema", async () => {
    const broken: Workload = { ...workload, path: (file) => (file.startsWith("staging/") ? `${import.meta.dirname}/broken.sql` : workload.path(file)) };
    const attempt = prepareStaging({ staging: { ...staging, database: "broken_db" }, workload: broken, stack: "local" });
    await expect(attempt).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining("broken.sql") });
    const { rows } = await withClient(connectionOf(staging, "admin", "broken_db"), (client) =>
      client.query("SELECT to_regclass('\"User\"') AS found"));
    expect(rows).toEqual([{ found: null }]);
  });

  test("interrupted: exit 130", async () => {
    await expect(prepareStaging({ staging, workload, stack: "local", signal: AbortSignal.abort() })).rejects.toMatchObject({ exitCode: 130 });
  });
});
