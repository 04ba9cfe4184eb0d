import { stat, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { probe } from "../../../engine/health/index.ts";
import { createDatabase, switchDatabase } from "../../../engine/postgres/databases.ts";
import { readSlot, readStandby, refusesWrites, replicaSlot, replicationRole } from "../../../engine/postgres/replication.ts";
import { isStandby } from "../../../engine/process/standby.ts";
import { connectionOf, replicaConnectionsOf, type StagingRole } from "../../../engine/staging/database.ts";
import { promoteReplica } from "../../../engine/staging/promote.ts";
import { isReplicationWhole, removeReplication } from "../../../engine/staging/replication.ts";
import { withClient } from "../../support/postgres.ts";
import { startReplica, type TestReplica } from "../../support/replica.ts";

let world: TestReplica;
beforeAll(async () => {
  world = await startReplica({ max_slot_wal_keep_size: "32MB", min_wal_size: "32MB", max_wal_size: "32MB" });
  await world.up();
});
afterAll(() => world?.remove());

function replica(role: StagingRole = "admin", database?: string) {
  const [settings] = replicaConnectionsOf(world.staging, role, database);
  if (settings === undefined) throw new Error("no replica");
  return settings;
}
const onPrimary = <Row>(sql: string, database?: string) => withClient(connectionOf(world.staging, "admin", database), async (client) => (await client.query(sql)).rows as Row[]);
const onReplica = <Row>(sql: string) => withClient(replica(), async (client) => (await client.query(sql)).rows as Row[]);
const healthy = () => probe({ kind: "postgres", connection: replica("admin", "postgres"), standby: { maxLagBytes: 1_000_000 } });

async function until(condition: () => Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition().catch(() => false))) {
    if (Date.now() > deadline) throw new Error("not in time");
    await sleep(50);
  }
}

describe("a replica", () => {
  it("follows the primary, and is healthy", async () => {
    await until(async () => (await healthy()).ok);
    expect(await healthy()).toMatchObject({ ok: true, detail: expect.stringContaining("refuses writes") });
    await onPrimary("CREATE TABLE followed AS SELECT 1 AS one");
    await until(async () => (await onReplica("SELECT one FROM followed")).length === 1);
    expect(await withClient(replica(), readStandby)).toMatchObject({ inRecovery: true, streaming: true });
  });

  it("refuses every role's writes, also of those who ask to write", async () => {
    for (const role of ["admin", "owner", "app", "readOnly"] as const) expect(await withClient(replica(role), refusesWrites), role).toBe(true);
    expect(await withClient(connectionOf(world.staging, "app"), refusesWrites)).toBe(false);
  });

  it("is fed by a role that may stream and nothing else, its password in private files only", async () => {
    expect(await onPrimary(`SELECT rolreplication, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls FROM pg_roles WHERE rolname = '${replicationRole}'`)).toEqual([
      { rolreplication: true, rolsuper: false, rolcreatedb: false, rolcreaterole: false, rolbypassrls: false },
    ]);
    expect(await onPrimary("SELECT rolpassword LIKE 'SCRAM-SHA-256$%' AS scram FROM pg_authid WHERE rolname = 'staging_replication'")).toEqual([{ scram: true }]);
    expect(((await stat(join(dirname(world.standbyFolder), "replication.pass"))).mode & 0o777).toString(8)).toBe("600");
    expect(await readdir(dirname(world.standbyFolder))).not.toContain(".replication-password");
    expect(await onPrimary("SELECT application_name, state FROM pg_stat_replication")).toEqual([{ application_name: "database-replica", state: "streaming" }]);
  });

  it("is not copied again while it is as it should be", async () => {
    const before = [world.base(), (await stat(join(world.standbyFolder, "PG_VERSION"))).ino];
    await world.up();
    expect([world.base(), (await stat(join(world.standbyFolder, "PG_VERSION"))).ino]).toEqual(before);
  });

  it("has caught up soon after it was killed, with what was written meanwhile", async () => {
    await world.stop("SIGKILL");
    expect((await healthy()).ok).toBe(false);
    await onPrimary("INSERT INTO followed SELECT generate_series(2, 20000)");
    await world.start();
    await until(async () => (await healthy()).ok);
    await until(async () => (await onReplica<{ count: string }>("SELECT count(*) FROM followed"))[0]?.count === "20000");
  });

  it("sends nobody to the database of before once databases are switched", async () => {
    const reader = new Client({ ...replica("app"), ssl: false });
    const ended = new Promise<void>((resolve) => reader.on("error", () => resolve()));
    await reader.connect();
    await withClient(connectionOf(world.staging, "admin", "postgres"), (client) => createDatabase(client, "staging_db_next", "staging_owner"));
    await onPrimary("GRANT CONNECT ON DATABASE staging_db_next TO staging_user");
    await onPrimary("CREATE TABLE followed AS SELECT 1 AS one", "staging_db_next");
    const names = { live: "staging_db", next: "staging_db_next", previous: "staging_db_previous" };
    await switchDatabase(connectionOf(world.staging, "admin", "postgres"), { ...names, standbys: replicaConnectionsOf(world.staging, "admin", "postgres") });
    await ended;
    expect(await onReplica("SELECT count(*)::int AS count FROM followed")).toEqual([{ count: 1 }]);
    // And back, so that the marker is there again.
    await withClient(connectionOf(world.staging, "admin", "postgres"), async (client) => {
      await client.query("ALTER DATABASE staging_db RENAME TO staging_db_next; ");
      await client.query("ALTER DATABASE staging_db_previous RENAME TO staging_db");
      await client.query("DROP DATABASE staging_db_next WITH (FORCE)");
    });
  });
});

describe("what is wrong with a replica", () => {
  it("that its primary is gone is seen", async () => {
    await onPrimary("ALTER ROLE staging_replication NOLOGIN; SELECT pg_terminate_backend(pid) FROM pg_stat_replication");
    await until(async () => !(await healthy()).ok);
    expect((await healthy()).detail).toContain("receives nothing from its primary");
    // What `up` does first puts the role right.
    await onPrimary("ALTER ROLE staging_replication LOGIN");
    await until(async () => (await healthy()).ok);
  });

  it("that it was away for too long is seen, and it is copied anew", async () => {
    const before = world.base();
    await world.stop("SIGKILL");
    for (let round = 0; round < 6; round += 1) await onPrimary("INSERT INTO followed SELECT generate_series(1, 100000); SELECT pg_switch_wal(); CHECKPOINT");
    expect(await withClient(connectionOf(world.staging, "admin"), (client) => readSlot(client, replicaSlot))).toMatchObject({ lost: true });
    expect(await isReplicationWhole({ staging: world.staging, slot: replicaSlot })).toBe(false);
    await world.up();
    expect(world.base()).not.toBe(before);
    expect(world.base().split("/")[0]).toBe(before.split("/")[0]);
    await until(async () => (await healthy()).ok);
    expect(await isReplicationWhole({ staging: world.staging, slot: replicaSlot })).toBe(true);
  });
});

describe("promotion", () => {
  const promote = (timeoutMs = 20_000) => promoteReplica({ staging: world.staging, stack: "test", timeoutMs });

  it("is refused for another stack's, and for a stack without a replica", async () => {
    await expect(promoteReplica({ staging: world.staging, stack: "other" })).rejects.toMatchObject({ exitCode: 2 });
    const { replica: _, ...alone } = world.staging;
    await expect(promoteReplica({ staging: alone, stack: "test" })).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining("no read replica") });
  });

  it("does not happen while the replica cannot catch up, and ends in time", async () => {
    await onReplica("SELECT pg_wal_replay_pause()");
    await onPrimary("INSERT INTO followed VALUES (-1)");
    const startedAt = Date.now();
    await expect(promote(1_000)).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining("nothing was promoted") });
    expect(Date.now() - startedAt).toBeLessThan(5_000);
    expect(await withClient(replica(), readStandby)).toMatchObject({ inRecovery: true });
    await onReplica("SELECT pg_wal_replay_resume()");
  });

  it("loses nothing that was committed, takes writes, and leaves the primary as it is", async () => {
    await onPrimary("INSERT INTO followed VALUES (-2)");
    expect(await promote()).toMatchObject({ caughtUp: true, timeline: 2, server: `127.0.0.1:${world.staging.replica.port}` });
    expect(await onReplica("SELECT one FROM followed WHERE one < 0 ORDER BY one")).toEqual([{ one: -2 }, { one: -1 }]);
    await onReplica("INSERT INTO followed VALUES (-3)");
    expect(await onPrimary("SELECT one FROM followed WHERE one = -3")).toEqual([]);
    expect(await isStandby({ dataFolder: world.standbyFolder })).toBe(false);
    expect(await healthy()).toMatchObject({ ok: false, detail: expect.stringContaining("promoted") });
    await expect(promote()).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining("promoted before") });
  });

  it("is undone by what up does: a replica again, from the primary", async () => {
    await world.up();
    await until(async () => (await healthy()).ok);
    expect(await onReplica("SELECT one FROM followed WHERE one = -3")).toEqual([]);
    expect(await isStandby({ dataFolder: world.standbyFolder })).toBe(true);
  });

  it("works with what was received when the primary is gone", async () => {
    const primaryGone = { ...world.staging, port: 1 };
    expect(await promoteReplica({ staging: primaryGone, stack: "test", timeoutMs: 20_000 })).toMatchObject({ caughtUp: false });
    expect(await withClient(replica("app"), refusesWrites)).toBe(false);
  });
});

describe("afterwards", () => {
  it("neither slot nor role is left on the primary", async () => {
    await removeReplication({ staging: world.staging, slot: replicaSlot });
    expect(await onPrimary("SELECT slot_name FROM pg_replication_slots UNION ALL SELECT rolname FROM pg_roles WHERE rolname = 'staging_replication'")).toEqual([]);
  });
});
