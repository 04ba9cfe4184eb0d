import { execFile } from "node:child_process";
import { chown, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { classifySource } from "../../../engine/copy/classify/classify.ts";
import { copyData } from "../../../engine/copy/copy.ts";
import type { MaskingPolicy } from "../../../engine/masking/policy.ts";
import { postgresProgram } from "../../../engine/postgres/programs.ts";
import { accountFor } from "../../../engine/process/account.ts";
import { startChild } from "../../support/child.ts";
import type { TestChild } from "../../support/child.ts";
import { fillWithStories, startCopyWorld } from "../../support/copyWorld.ts";
import type { CopyWorld } from "../../support/copyWorld.ts";
import { freePort } from "../../support/ports.ts";
import { withClient } from "../../support/postgres.ts";

const run = promisify(execFile);

let world: CopyWorld;
let standby: TestChild;
let folder: string;
let port: number;

beforeAll(async () => {
  world = await startCopyWorld(async (settings) => {
    await fillWithStories(60)(settings);
    await withClient(settings, (client) => client.query("CREATE UNLOGGED TABLE cached (key text); INSERT INTO cached VALUES ('x'); SELECT lo_from_bytea(900001, 'large'); GRANT SELECT ON LARGE OBJECT 900001 TO reader"));
  });
  const account = await accountFor(["postgres"]);
  folder = await mkdtemp(join(tmpdir(), "understudy-standby-"));
  port = await freePort();
  const { host, port: primaryPort, user, password } = world.production.admin();
  const as = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  const data = join(folder, "data");
  await run(await postgresProgram("pg_basebackup"), ["-D", data, "-R", "-c", "fast", "--no-sync", "-h", host, "-p", String(primaryPort), "-U", user], {
    ...as,
    cwd: folder,
    env: { PATH: "/usr/bin:/bin", PGPASSWORD: password },
  });
  const settings = ["listen_addresses=127.0.0.1", `port=${port}`, "unix_socket_directories=", "fsync=off", "max_connections=60", "logging_collector=off"];
  standby = startChild(await postgresProgram("postgres"), ["-D", data, ...settings.flatMap((setting) => ["-c", setting])], { ...as, cwd: folder, env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8" } });
  await standby.waitUntil(() => withClient({ ...world.production.admin(), port }, (client) => client.query("SELECT 1")));
}, 60_000);
afterAll(async () => {
  await standby.stop("SIGINT");
  await world.stop();
  await rm(folder, { recursive: true, force: true });
});

describe.sequential("a hot standby as the source", () => {
  test("is classified and copied like its primary, large objects too", async () => {
    const options = await world.options();
    const source = { ...options.source, port };
    const found = await classifySource({ source });
    expect(found.tables.find(({ table }) => table === "User")?.columns.find(({ column }) => column === "email")).toMatchObject({ rule: "email" });
    const policy = parse(await readFile("workloads/stories/copy/masking.yaml", "utf8")) as MaskingPolicy;
    const masking = { ...policy, largeObjects: "keep", tables: { ...policy.tables, cached: { leaveOut: true } } };
    const { report } = await copyData({ ...(await world.options({ masking, subset: { version: 1, whole: "all" } })), source });
    expect(report.checks.filter(({ status, severity }) => status !== "passed" && severity === "error")).toEqual([]);
    const users = `SELECT count(*)::int FROM "User"`;
    expect(await world.askStaging(users)).toEqual(await world.askSource(users));
  });

  test("stops the copy when it falls behind its primary, and not while it keeps up", async () => {
    const policy = parse(await readFile("workloads/stories/copy/masking.yaml", "utf8")) as MaskingPolicy;
    const masking = { ...policy, largeObjects: "leaveOut", tables: { ...policy.tables, cached: { leaveOut: true } } };
    const options = await world.options({ masking }, { sourceBounds: { maxReplicationLagSeconds: 1, maxRowsPerSecond: 60 } });
    const source = { ...options.source, port };
    const onStandby = (sql: string) => withClient({ ...world.production.admin(), port }, (client) => client.query(sql));
    await world.askSource("CREATE TABLE written (a int); DROP TABLE written");
    await expect.poll(async () => (await onStandby("SELECT pg_last_xact_replay_timestamp() IS NOT NULL AS known")).rows[0]?.known).toBe(true);
    await onStandby("SELECT pg_wal_replay_pause()");
    try {
      await world.askSource("CREATE TABLE written (a int); DROP TABLE written");
      await expect.poll(async () => (await onStandby("SELECT clock_timestamp() - pg_last_xact_replay_timestamp() > '1.5 s' AND pg_last_wal_receive_lsn() <> pg_last_wal_replay_lsn() AS late")).rows[0]?.late, { timeout: 10_000 }).toBe(true);
      const before = await world.databases();
      await expect(copyData({ ...options, source })).rejects.toMatchObject({ exitCode: 3, message: expect.stringMatching(/replication is \d+\.\d s behind, at most 1 s are allowed/) });
      expect(await world.databases()).toEqual(before);
    } finally {
      await onStandby("SELECT pg_wal_replay_resume()");
    }
    await expect.poll(async () => (await onStandby("SELECT pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AS level")).rows[0]?.level).toBe(true);
    const { report } = await copyData({ ...options, source, sourceBounds: { maxReplicationLagSeconds: 1 } });
    expect(report).toMatchObject({ switched: true });
  });

  test("has no rows of unlogged tables: they are left out by name, or the copy is made from the primary", async () => {
    const policy = parse(await readFile("workloads/stories/copy/masking.yaml", "utf8")) as MaskingPolicy;
    const masking = { ...policy, largeObjects: "leaveOut", tables: { ...policy.tables, cached: { columns: { key: "keep" } } } };
    const options = await world.options({ masking, subset: { version: 1, whole: "all" } });
    await expect(copyData({ ...options, source: { ...options.source, port } })).rejects.toMatchObject({ exitCode: 4, message: expect.stringContaining("cached: UNLOGGED, and a standby has none of its rows") });
  });
});
