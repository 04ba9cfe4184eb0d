import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CloneSet } from "../../../engine/migration/clones/cloneSet.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import { startChild } from "../../support/child.ts";
import { startPostgres, withClient } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";
import { clonesLeft, fixtures, prepareShop, stagingOn } from "./fixture.ts";

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

const contents = () =>
  withClient(connectionOf(stagingOn(server, "shop"), "admin"), async (client) => {
    const { rows } = await client.query(`SELECT (SELECT md5(string_agg(c::text, '' ORDER BY id)) FROM customers c) AS customers, (SELECT md5(string_agg(o::text, '' ORDER BY id)) FROM orders o) AS orders,
      (SELECT json_agg(attname ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'customers'::regclass AND attnum > 0) AS columns`);
    return rows[0] as unknown;
  });

describe("killed at any point, staging is untouched and the next run drops the clones", () => {
  test.each(["copying shop", "up, down, up", "live traffic", "kills, repeats"])("at: %s", async (point) => {
    const before = await contents();
    const child = startChild(process.execPath, [join(import.meta.dirname, "rehearseChild.ts")], {
      env: { PATH: process.env["PATH"], REHEARSAL: JSON.stringify({ staging: stagingOn(server, "shop"), folder, reports }) },
    });
    await child.waitUntil(async () => {
      if (!child.output().includes(point)) throw new Error("not yet there");
    });
    await sleep(60);
    await child.stop("SIGKILL");
    expect(child.output()).not.toContain("ended");
    expect(await contents()).toEqual(before);
    // The server notices within moments that the client is gone; a CREATE DATABASE under way ends first.
    await sleep(700);
    const next = await CloneSet.open(stagingOn(server, "shop"));
    expect(await next.close()).toEqual([]);
    expect(await clonesLeft(server)).toEqual([]);
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
