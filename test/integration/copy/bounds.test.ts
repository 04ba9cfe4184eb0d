import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyData } from "../../../engine/copy/copy.ts";
import type { CopyOptions, CopyReport } from "../../../engine/copy/copy.ts";
import type { SourceBounds } from "../../../engine/copy/sourceBounds.ts";
import { startAlternatingProxy } from "../../support/alternatingProxy.ts";
import { databaseOfProduction, fillWithStories, startCopyWorld } from "../../support/copyWorld.ts";
import type { CopyWorld } from "../../support/copyWorld.ts";
import { withClient } from "../../support/postgres.ts";

let world: CopyWorld;

beforeAll(async () => {
  world = await startCopyWorld(fillWithStories(150));
});
afterAll(() => world.stop());

const copyWithin = async (sourceBounds: SourceBounds, changes: Partial<CopyOptions> = {}): Promise<CopyReport> =>
  (await copyData(await world.options({}, { sourceBounds, ...changes }))).report;

const whatHappens = async (sourceBounds: SourceBounds, changes: Partial<CopyOptions> = {}) => copyWithin(sourceBounds, changes).catch((error: unknown) => error);

/** So many sessions of somebody else at work on production, while `use` runs. */
async function withBusySessions<Result>(count: number, use: () => Promise<Result>): Promise<Result> {
  if (count === 0) return use();
  return withClient(world.production.admin(databaseOfProduction), async (client) => {
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const busy = client.query("SELECT pg_sleep(60)").catch(() => {});
    try {
      return await withBusySessions(count - 1, use);
    } finally {
      await world.askSource(`SELECT pg_cancel_backend(${rows[0]?.pid})`);
      await busy;
    }
  });
}

const stageMs = (report: CopyReport, name: string): number => report.stages.find(({ stage }) => stage === name)?.durationMs ?? 0;

describe.sequential("bounds on the source", () => {
  test("that cannot work are refused, all at once", async () => {
    expect(await whatHappens({ maxConnections: 1, maxRowsPerSecond: 0 })).toMatchObject({ exitCode: 2, message: expect.stringMatching(/maxConnections is 1, at least 2.*maxRowsPerSecond is 0/) });
    expect(await whatHappens({ maxConnections: 2, maxActiveSessions: 5 })).toMatchObject({ exitCode: 2, message: expect.stringMatching(/at least 3 is needed.*one watches/) });
  });

  test("maxConnections is never exceeded: production would refuse one session more", async () => {
    await world.askSource("ALTER ROLE reader CONNECTION LIMIT 2");
    try {
      expect(await copyWithin({ maxConnections: 2 })).toMatchObject({ verdict: "passed", source: { sessions: 2 } });
      expect(await whatHappens({ maxConnections: 3 })).toMatchObject({ exitCode: 3, message: expect.stringContaining("too many connections for role") });
      await world.askSource("GRANT pg_read_all_stats TO reader; ALTER ROLE reader CONNECTION LIMIT 3");
      expect(await copyWithin({ maxConnections: 3, maxActiveSessions: 50 })).toMatchObject({ verdict: "passed", source: { sessions: 2 } });
    } finally {
      await world.askSource("ALTER ROLE reader CONNECTION LIMIT -1; REVOKE pg_read_all_stats FROM reader");
    }
  });

  test("maxRowsPerSecond holds for rows that are copied, added up and hashed; what arrives is the same", async () => {
    const free = await copyWithin({}, { limit: 60 });
    const maxRowsPerSecond = Math.ceil(free.rows / 1.2);
    const paced = await copyWithin({ maxRowsPerSecond }, { limit: 60 });
    expect(paced).toMatchObject({ verdict: "passed", switched: true, rows: free.rows });
    expect(paced.checks.find(({ id }) => id === "copy.checksums")?.evidence).toBe(free.checks.find(({ id }) => id === "copy.checksums")?.evidence);
    for (const stage of ["copy rows", "add up kept columns"]) expect(stageMs(paced, stage)).toBeGreaterThan(1_100);
    expect(stageMs(paced, "hash originals for the leak scan")).toBeGreaterThan(800);
    expect(stageMs(paced, "verify")).toBeLessThan(stageMs(paced, "copy rows") + 5_000);
  });

  test("maxActiveSessions: a busy source stops the copy, and staging is as it was; a quiet one does not", async () => {
    await world.askSource("GRANT pg_read_all_stats TO reader");
    const before = await world.databases();
    const bounds = { maxActiveSessions: 2 };
    const stopped = await withBusySessions(3, () => whatHappens({ ...bounds, maxRowsPerSecond: 60 }));
    expect(stopped).toMatchObject({ exitCode: 3, message: expect.stringMatching(/stopped for the source's sake: 3 sessions are at work there, at most 2/) });
    expect(await world.databases()).toEqual(before);
    expect(await withBusySessions(2, () => copyWithin(bounds))).toMatchObject({ verdict: "passed", switched: true });
    await world.askSource("REVOKE pg_read_all_stats FROM reader");
  });

  test("a role that could not see the load is refused", async () => {
    for (const bounds of [{ maxActiveSessions: 100 }, { maxReplicationLagSeconds: 10 }]) {
      expect(await whatHappens({ ...bounds, maxRowsPerSecond: 1_500 })).toMatchObject({ exitCode: 2, remedy: expect.stringContaining("GRANT pg_read_all_stats") });
    }
  });

  test("a load balancer that gives each session to another server is found out and named", async () => {
    await withClient(world.target.admin(), async (client) => {
      await client.query(`CREATE ROLE reader LOGIN PASSWORD 'reader-secret'; GRANT pg_read_all_data TO reader`);
      await client.query(`CREATE DATABASE ${databaseOfProduction} TEMPLATE staging_db`);
    });
    const proxy = await startAlternatingProxy([world.production.port, world.target.port]);
    try {
      const options = await world.options();
      const before = await world.databases();
      await expect(copyData({ ...options, source: { ...options.source, port: proxy.port } })).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringContaining("they reach different servers"),
        remedy: expect.stringContaining("load balancer"),
      });
      expect(await world.databases()).toEqual(before);
    } finally {
      await proxy.stop();
    }
  });
});
