import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresProgram } from "../../../engine/postgres/programs.ts";
import { startPostgres, withClient } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";
import { clonesLeft, prepareShop } from "./fixture.ts";
import { checkOf, rehearseShop, wrongIn } from "./inputs.ts";
import type { ShopCase } from "./inputs.ts";

let server: TestServer;
let folder: string;
let psql: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-tools-"));
  psql = await postgresProgram("psql");
  server = await startPostgres({ full_page_writes: "off", autovacuum: "off" });
  await prepareShop(server);
});
afterAll(async () => {
  await server.stop("immediate");
  await rm(folder, { recursive: true, force: true });
});

describe("node-pg-migrate", () => {
  const program = [process.execPath, resolve("node_modules/node-pg-migrate/bin/node-pg-migrate.js")];
  const up = `export const up = (pgm) => {
  pgm.sql("SET LOCAL lock_timeout = '400ms'");
  pgm.addColumns("customers", { nickname: { type: "text" } });
  pgm.createTable("badges", { id: "id", customer_id: { type: "bigint", notNull: true, references: "customers" }, title: { type: "text", notNull: true } });
};
`;
  const tool = (name: string, down: string): ShopCase => ({
    name,
    files: { "migrations/1767225600000_nicknames.js": `${up}export const down = (pgm) => {\n  pgm.sql("SET LOCAL lock_timeout = '400ms'");\n${down}};\n` },
    command: { up: [...program, "up", "-m", "."], down: [...program, "down", "-m", "."] },
  });

  test("a migration rehearsed whole: each statement timed, its locks told, the tool's own table no difference", { timeout: 120_000 }, async () => {
    const report = await rehearseShop(server, folder, tool("nicknames", `  pgm.dropTable("badges");\n  pgm.dropColumns("customers", ["nickname"]);\n`));
    expect(wrongIn(report)).toEqual([]);
    const section = report.migrations[0];
    const kinds = section?.statements.filter(({ direction }) => direction === "up").map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(["TransactionStmt", "VariableSetStmt", "AlterTableStmt", "CreateStmt", "InsertStmt"]));
    const alter = section?.statements.find(({ direction, kind }) => direction === "up" && kind === "AlterTableStmt");
    expect(alter).toMatchObject({ file: "pending up", sql: expect.stringContaining(`"nickname"`) as string, walBytes: expect.any(Number) as number });
    expect(alter?.durationMs).toBeGreaterThan(0);
    const lock = section?.locks.find(({ run, direction, relation, mode }) => run === "alone" && direction === "up" && relation === "public.customers" && mode === "ACCESS EXCLUSIVE");
    expect(lock).toMatchObject({ source: "trace", line: alter?.line, stops: "readers" });
    expect(lock?.heldMs).toBeGreaterThan(0);
    expect(checkOf(report, "rollback.killed-recovers").status).toBe("passed");
    expect(checkOf(report, "performance.lock-timeout").evidence).toMatch(/tried again \d+ times, then got through|needs no lock/);
    expect(await clonesLeft(server)).toEqual([]);
  });

  test("a down that forgets a column is found, named by what is left", async () => {
    const report = await rehearseShop(server, folder, tool("forgets", `  pgm.dropTable("badges");\n`), { only: ["rollback.schema-restored"] });
    expect(checkOf(report, "rollback.schema-restored")).toMatchObject({ status: "failed", evidence: "column public.customers.nickname is left over" });
  });
});

describe("a script with psql", () => {
  const script = (steps: string): string => `#!/bin/sh
set -eu
run() { "$PSQL" -X -q -v ON_ERROR_STOP=1 "$@"; }
${steps}
`;
  const twoSteps = script(`
case $1 in
  up)
    run -c 'CREATE TABLE IF NOT EXISTS applied_changes (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())'
    for name in 1_memo 2_status; do
      [ -n "$(run -At -c "SELECT 1 FROM applied_changes WHERE name = '$name'")" ] && continue
      run -1 -f $name.up.sql -c "INSERT INTO applied_changes (name) VALUES ('$name')"
    done ;;
  down)
    for name in $(run -At -c "SELECT name FROM applied_changes ORDER BY name DESC LIMIT $MIGRATION_COUNT"); do
      run -1 -f $name.down.sql -c "DELETE FROM applied_changes WHERE name = '$name'"
    done ;;
  status)
    env > environment.txt
    there=$(run -At -c "SELECT to_regclass('applied_changes') IS NOT NULL")
    for name in 1_memo 2_status; do
      if [ "$there" = t ] && [ -n "$(run -At -c "SELECT 1 FROM applied_changes WHERE name = '$name'")" ]; then echo "[x] $name"; else echo "[ ] $name"; fi
    done ;;
esac`);
  const commands = (more: Partial<ShopCase["command"]> = {}): NonNullable<ShopCase["command"]> => ({
    name: "changes",
    up: ["sh", "migrate.sh", "up"],
    down: ["sh", "migrate.sh", "down"],
    status: { run: ["sh", "migrate.sh", "status"], pending: String.raw`^\[ \] (.+)$` },
    environment: { PSQL: psql },
    bookkeeping: ["applied_changes"],
    ...more,
  });
  const files = {
    "migrations/migrate.sh": twoSteps,
    "migrations/1_memo.up.sql": "SET LOCAL lock_timeout = '400ms';\nALTER TABLE orders ADD COLUMN memo text;\n",
    "migrations/1_memo.down.sql": "SET LOCAL lock_timeout = '400ms';\nALTER TABLE orders DROP COLUMN memo;\n",
    "migrations/2_status.up.sql": "UPDATE customers SET note = note || ' (checked)' WHERE tier = 'gold';\n",
    "migrations/2_status.down.sql": "UPDATE customers SET note = left(note, -10) WHERE tier = 'gold' AND note LIKE '% (checked)';\n",
  };

  test("up, down and status by command: two pending migrations in one go, nothing of our own environment handed on", { timeout: 120_000 }, async () => {
    process.env["UNDERSTUDY_CANARY"] = "not for tools";
    const report = await rehearseShop(server, folder, { name: "script", files, command: commands() });
    delete process.env["UNDERSTUDY_CANARY"];
    expect(wrongIn(report)).toEqual([]);
    expect(checkOf(report, "prerequisites.pending").evidence).toBe("changes: pending");
    const sent = report.migrations[0]?.statements.filter(({ direction }) => direction === "up").map(({ sql }) => sql.split(" ", 3).join(" "));
    expect(sent).toEqual(expect.arrayContaining(["ALTER TABLE orders", "UPDATE customers SET", "INSERT INTO applied_changes"]));
    const environment = await readFile(join(folder, "script", "migrations", "environment.txt"), "utf8");
    expect(environment).toMatch(/^DATABASE_URL=postgresql:\/\/staging_owner:owner@127\.0\.0\.1:\d+\/shop_script_rehearsal_/m);
    expect(environment).not.toContain("not for tools");
  });

  test("what status calls applied is not rehearsed, and nothing passes for it", async () => {
    const setup = "CREATE TABLE applied_changes (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now()); INSERT INTO applied_changes VALUES ('1_memo'), ('2_status')";
    const report = await rehearseShop(server, folder, { name: "applied", files, setup, command: commands() });
    expect(checkOf(report, "prerequisites.pending")).toEqual({ status: "failed", evidence: "changes: applied" });
    expect(report.verdict).toBe("failed");
  });

  test("a tool that fails says why: the server's refusal by its place, or its own last words", async () => {
    const refused = await rehearseShop(server, folder, { name: "refused", files: { ...files, "migrations/2_status.up.sql": "UPDATE customers SET nothing = 1;\n" }, command: commands() }, { only: ["logic.up-applies"] });
    expect(checkOf(refused, "logic.up-applies")).toMatchObject({ status: "failed", evidence: expect.stringMatching(/^changes up:\d+: column "nothing" of relation "customers" does not exist \(42703\)$/) as string });
    const gaveUp = await rehearseShop(server, folder, { name: "gave-up", files: { "migrations/migrate.sh": script("echo cannot find my notes >&2; exit 7") }, command: commands({ status: undefined }) }, { only: ["logic.up-applies"] });
    expect(checkOf(gaveUp, "logic.up-applies")).toMatchObject({ status: "failed", evidence: "changes up: ended with 7: cannot find my notes" });
  });

  test("a statement that reaches beyond the clone never arrives", async () => {
    const report = await rehearseShop(server, folder, { name: "beyond", files: { "migrations/migrate.sh": script(`[ $1 = up ] && run -c 'ALTER DATABASE shop RENAME TO gone'`) }, command: commands({ status: undefined }) }, { only: ["logic.up-applies"] });
    expect(checkOf(report, "logic.up-applies").evidence).toContain("reaches beyond the clone");
    const { rowCount } = await withClient(server.admin(), (client) => client.query("SELECT FROM pg_database WHERE datname = 'shop'"));
    expect(rowCount).toBe(1);
  });

  test("a program that is not there, and a status that fails, are errors of the configuration", async () => {
    await expect(rehearseShop(server, folder, { name: "not-there", files, command: commands({ status: undefined, up: ["no-such-tool", "up"] }) })).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining("no-such-tool") as string });
    await expect(rehearseShop(server, folder, { name: "no-status", files, command: commands({ status: { run: ["sh", "-c", "echo no state; exit 3"], pending: "x" } }) })).rejects.toMatchObject({ exitCode: 2, message: "The migration tool's status command ended with 3: no state" });
    expect(await clonesLeft(server)).toEqual([]);
  });
});

/** Debian's own, for which its package of Django is; another Python may come first on PATH. */
const python = "/usr/bin/python3";
const hasDjango = (() => {
  try {
    execFileSync(python, ["-c", "import django, psycopg2"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

// Debian's python3-django and python3-psycopg2 are not among what the set-up installs: they are large, and only this test would use them.
describe.skipIf(!hasDjango)("Django's manage.py migrate", () => {
  const files = {
    "migrations/manage.py": `import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
`,
    "migrations/settings.py": `import os
SECRET_KEY = "test"
INSTALLED_APPS = ["reviews"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "HOST": os.environ["PGHOST"], "PORT": os.environ["PGPORT"],
  "NAME": os.environ["PGDATABASE"], "USER": os.environ["PGUSER"], "PASSWORD": os.environ["PGPASSWORD"]}}
`,
    "migrations/reviews/__init__.py": "",
    "migrations/reviews/models.py": "",
    "migrations/reviews/migrations/__init__.py": "",
    "migrations/reviews/migrations/0001_initial.py": `from django.db import migrations, models
class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.CreateModel(name="Review", fields=[("id", models.BigAutoField(primary_key=True)), ("stars", models.IntegerField()), ("text", models.TextField(default=""))])]
`,
    "migrations/reviews/migrations/0002_note.py": `from django.db import migrations
def check(apps, editor):
    with editor.connection.cursor() as cursor:
        cursor.execute("UPDATE customers SET note = note || ' (checked)' WHERE tier = 'gold'")
def uncheck(apps, editor):
    with editor.connection.cursor() as cursor:
        cursor.execute("UPDATE customers SET note = left(note, -10) WHERE tier = 'gold' AND note LIKE %s", ["% (checked)"])
class Migration(migrations.Migration):
    dependencies = [("reviews", "0001_initial")]
    operations = [migrations.RunPython(check, uncheck)]
`,
  };

  test("two migrations, one of them in Python; a weakness of Django's own is found, and nothing else", { timeout: 180_000 }, async () => {
    const manage = [python, "-B", "manage.py"];
    const command = { name: "reviews", up: [...manage, "migrate", "--no-color"], down: [...manage, "migrate", "--no-color", "reviews", "zero"], status: { run: [...manage, "showmigrations", "--plan", "--no-color"], pending: String.raw`^\s*\[ \]\s+(.+?)\s*$` } };
    const report = await rehearseShop(server, folder, { name: "django", files, command });
    // Django takes a migration back in one transaction and notes it down in another: killed in between, it cannot go on.
    expect(wrongIn(report).map((line) => line.split(" ", 1)[0])).toEqual(["rollback.killed-down-recovers", "rollback.success-rate"]);
    expect(checkOf(report, "rollback.killed-down-recovers").evidence).toContain('table "reviews_review" does not exist');
    expect(checkOf(report, "prerequisites.pending").evidence).toBe("reviews: pending");
    const kinds = report.migrations[0]?.statements.filter(({ direction }) => direction === "up").map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(["CreateStmt", "UpdateStmt", "InsertStmt"]));
  });
});
