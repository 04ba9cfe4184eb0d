import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CloneSet } from "../../../engine/migration/clones/cloneSet.ts";
import { postgresProgram } from "../../../engine/postgres/programs.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import { startChild } from "../../support/child.ts";
import { startPostgres, withClient } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";
import { clonesLeft, fixtures, prepareShop, stagingOn } from "./fixture.ts";
import type { Command } from "./inputs.ts";

let server: TestServer;
let reports: string;
const folder = join(fixtures, "good", "expand-with-nullable-column");

beforeAll(async () => {
  reports = await mkdtemp(join(tmpdir(), "understudy-kill-"));
  server = await startPostgres({ full_page_writes: "off" });
  await prepareShop(server);
});
afterAll(async () => {
  await server.stop("immediate");
  await rm(reports, { recursive: true, force: true });
});

const contents = (database = "shop") =>
  withClient(connectionOf(stagingOn(server, database), "admin"), async (client) => {
    const { rows } = await client.query(`SELECT (SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM customers c) AS customers, (SELECT md5(string_agg(o::text, '' ORDER BY id)) FROM orders o) AS orders,
      (SELECT json_agg(attname ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'customers'::regclass AND attnum > 0) AS columns`);
    return rows[0] as unknown;
  });

/** Kills a rehearsal once `isThere` says so; nothing of it may be seen in staging, and the next run drops what it left. */
async function killed(run: { readonly folder: string; readonly database?: string; readonly command?: Command }, isThere: (output: string) => Promise<boolean>): Promise<void> {
  const { database = "shop" } = run;
  const before = await contents(database);
  const child = startChild(process.execPath, [join(import.meta.dirname, "rehearseChild.ts")], {
    env: { PATH: process.env["PATH"], REHEARSAL: JSON.stringify({ ...run, staging: stagingOn(server, database), reports }) },
  });
  await child.waitUntil(async () => {
    if (!(await isThere(child.output()))) throw new Error("not yet there");
  });
  await child.stop("SIGKILL");
  expect(child.output()).not.toContain("ended");
  expect(await contents(database)).toEqual(before);
  // The server notices within moments that the client is gone; a CREATE DATABASE under way ends first.
  await sleep(700);
  const next = await CloneSet.open(stagingOn(server, database));
  expect(await next.close()).toEqual([]);
  expect(await clonesLeft(server)).toEqual([]);
  expect(await contents(database)).toEqual(before);
}

/** Whether a migration's session runs a statement like this just now. */
const runs = (like: string) => () =>
  withClient(server.admin(), async (client) => {
    const { rowCount } = await client.query("SELECT FROM pg_stat_activity WHERE datname LIKE '%\\_rehearsal\\_%' AND state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()", [like]);
    return (rowCount ?? 0) > 0;
  });

const write = async (name: string, files: Readonly<Record<string, string>>): Promise<string> => {
  for (const [path, text] of Object.entries({ "expectations.yaml": "{}", ...files })) {
    await mkdir(dirname(join(reports, name, path)), { recursive: true });
    await writeFile(join(reports, name, path), text);
  }
  return join(reports, name);
};

describe("killed at any point, staging is untouched and the next run drops the clones", () => {
  test.each(["looking at staging", "copying shop", "up, down, up", "live traffic", "kills, repeats", "dropping the clones"])("at: %s", async (point) => {
    await killed({ folder }, async (output) => {
      if (!output.includes(point)) return false;
      if (point !== "dropping the clones") await sleep(60);
      return true;
    });
  });

  test("in the middle of a statement of up, in a transaction and in a loop with commits", async () => {
    const whole = await write("slow-up", { "migrations/0001_slow.up.sql": "ALTER TABLE customers ADD COLUMN slow text;\nSELECT pg_sleep(20) AS up;\n", "migrations/0001_slow.down.sql": "ALTER TABLE customers DROP COLUMN slow;\n" });
    await killed({ folder: whole }, runs("%pg_sleep%AS up%"));
    const loop = "DO $$ BEGIN FOR i IN 1..100 LOOP UPDATE customers SET note = note || '.' WHERE id = i; COMMIT; PERFORM pg_sleep(0.2); END LOOP; END $$;\n";
    const looped = await write("slow-loop", { "migrations/0001_slow.up.sql": `-- understudy: no-transaction\n${loop}`, "migrations/0001_slow.down.sql": "UPDATE customers SET note = rtrim(note, '.');\n" });
    await killed({ folder: looped }, runs("DO %"));
  });

  test("in the middle of a statement of down", async () => {
    const slow = await write("slow-down", { "migrations/0001_slow.up.sql": "ALTER TABLE customers ADD COLUMN slow text;\n", "migrations/0001_slow.down.sql": "ALTER TABLE customers DROP COLUMN slow;\nSELECT pg_sleep(20) AS down;\n" });
    await killed({ folder: slow }, runs("%pg_sleep%AS down%"));
  });

  test("while a large clone is made small", async () => {
    await withClient(server.admin(), (client) => client.query("CREATE DATABASE large TEMPLATE shop OWNER staging_owner"));
    await withClient(connectionOf(stagingOn(server, "large"), "owner"), (client) => client.query("INSERT INTO orders (customer_id, amount_cents) SELECT 1 + i % 200, i FROM generate_series(1, 30000) AS i"));
    await killed({ folder, database: "large" }, async (output) => output.includes("a small clone"));
  });

  test("while a tool runs: it ends by itself, its relay gone", async () => {
    const marker = `understudy-tool-${process.pid}`;
    const slow = await write("slow-tool", { "migrations/run.sh": `exec "$PSQL" -X -q -c "ALTER TABLE customers ADD COLUMN slow text" -c "SELECT pg_sleep(20) AS tool /* ${marker} */"\n` });
    const command: Command = { name: "slow", up: ["sh", "run.sh", marker], environment: { PSQL: await postgresProgram("psql") } };
    await killed({ folder: slow, command }, runs(`%${marker}%`));
    const left = (await promisify(execFile)("ps", ["-eo", "args"])).stdout.split("\n").filter((line) => line.includes(marker) && !line.startsWith("ps "));
    expect(left).toEqual([]);
  });
});

test("a run that lives keeps its clones while another one cleans up", async () => {
  const living = await CloneSet.open(stagingOn(server, "shop"));
  const clone = await living.cloneStaging();
  const other = await CloneSet.open(stagingOn(server, "shop"));
  await other.close();
  expect(await clonesLeft(server)).toEqual([clone]);
  await living.close();
  expect(await clonesLeft(server)).toEqual([]);
});

test("a clone has its owner's, privileges' and settings' likeness", async () => {
  await withClient(server.admin(), (client) => client.query("ALTER DATABASE shop SET search_path = public, staging_migrations; ALTER ROLE staging_user IN DATABASE shop SET statement_timeout = '7s'"));
  const clones = await CloneSet.open(stagingOn(server, "shop"));
  try {
    const clone = await clones.cloneStaging();
    const about = (database: string) =>
      withClient(server.admin(), async (client) => {
        const { rows } = await client.query("SELECT (SELECT json_agg(a::text ORDER BY a::text) FROM unnest(datacl) a) AS privileges, datdba, (SELECT json_agg(json_build_array(setrole, setconfig) ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid) AS settings FROM pg_database d WHERE datname = $1", [database]);
        return rows[0] as unknown;
      });
    expect(await about(clone)).toEqual(await about("shop"));
  } finally {
    await clones.close();
    await withClient(server.admin(), (client) => client.query("ALTER DATABASE shop RESET ALL; ALTER ROLE staging_user IN DATABASE shop RESET ALL"));
  }
});
