import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { layoutOf } from "../../engine/process/layout.ts";
import { leftoversOf } from "../../engine/process/leftovers.ts";
import { listenerOn, processesOf } from "../../engine/process/proc.ts";
import { serviceState } from "../../engine/process/service.ts";
import { startLightLoad, type LoadResult } from "../support/load.ts";
import { outputsOf, readState, understudy, understudyOk, type Outputs } from "../support/understudy.ts";

/** The larger topology on the real engine: everything that a killed part, an exchange and a promotion may do to people. */
const stack = "e2e-topology";
const settings = ["database.replicas=1", "database.pooling=true", "cache.cluster=3", "app.replicas=3", "backup.everyHours=6", "source.users=50", "rehearsal.enabled=false"];
const topologyChecks = [
  "infrastructure.services-up", "infrastructure.replica-lag", "infrastructure.replica-read-only", "infrastructure.cache-cluster", "infrastructure.app-instances", "infrastructure.scheduled-backup",
  "integration.database-pool", "security.database-pool-password",
];
let outputs: Outputs;
const layout = () => layoutOf(outputs.stackId);
const pidOf = async (service: string) => (await serviceState(layout(), service)).pid ?? 0;
const pids = (services: readonly string[]) => Promise.all(services.map(pidOf));

async function query(variable: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: outputs.environment[variable] });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function underLoad(during: () => Promise<unknown>): Promise<LoadResult> {
  const [row] = await query("READONLY_DATABASE_URL", `SELECT (SELECT email FROM "User" ORDER BY id LIMIT 1) AS email, (SELECT slug FROM "Story" WHERE status = 'PUBLISHED' ORDER BY slug LIMIT 1) AS slug`);
  const load = await startLightLoad({
    baseUrl: outputs.urls["app"] ?? "",
    email: String(row?.["email"]),
    storySlug: String(row?.["slug"]),
    password: outputs.environment["STAGING_SIGN_IN_PASSWORD"] ?? "",
  });
  try {
    await during();
  } catch (error) {
    await load.stop();
    throw error;
  }
  const result = await load.stop();
  expect(result.requests).toBeGreaterThan(50);
  expect(result.writes).toBeGreaterThan(10);
  return result;
}

const validate = () => understudy("validate", "--stack", stack, "--only", topologyChecks.join(","), "--json");

beforeAll(async () => {
  await understudy("destroy", "--stack", stack, "--yes", "--purge");
  await understudyOk("up", "--stack", stack, "--port-offset", "auto", ...settings.flatMap((setting) => ["--set", setting]));
  outputs = await outputsOf(stack);
});
afterAll(async () => {
  await understudy("destroy", "--stack", stack, "--yes", "--purge");
});

describe("the larger topology", () => {
  it("is up, validated, and shows no change when it is looked at again", async () => {
    const status = JSON.parse((await understudyOk("status", "--stack", stack, "--json")).stdout) as { services: { name: string; up: boolean }[] };
    const names = status.services.filter(({ up }) => up).map(({ name }) => name);
    for (const name of ["database-replica", "database-pool", "scheduled-backup", "cache-2", "cache-3", "app-2", "app-3", "replica-exporter"]) expect(names).toContain(name);
    expect((await understudyOk("backup", "list", "--stack", stack)).stdout).toContain("/data/scheduled-backup/");
    await understudyOk("preview", "--stack", stack, "--expect-no-changes");
  });

  it("tells where everything is, its passwords neither in the state nor in an argument", async () => {
    expect(outputs.environment["REDIS_CLUSTER_NODES"]?.split(",")).toHaveLength(3);
    expect(await query("DATABASE_REPLICA_URL", "SELECT pg_is_in_recovery() AS standby")).toEqual([{ standby: true }]);
    expect(await query("DATABASE_POOL_URL", "SELECT pg_is_in_recovery() AS standby")).toEqual([{ standby: false }]);
    const state = await readState(stack);
    expect(state).not.toContain(outputs.environment["REDIS_PASSWORD"]);
    for (const { command } of await processesOf(layout())) expect(command).not.toContain(outputs.environment["REDIS_PASSWORD"]);
  });

  it("loses no request but those in flight when a replica, an instance and a cache node are killed", async () => {
    const killed = ["database-replica", "app-2", "cache-2"] as const;
    const before = await pids(killed);
    let instanceKilledAtMs = 0;
    const { failures } = await underLoad(async () => {
      for (const [index, service] of killed.entries()) {
        await sleep(1_500);
        if (service === "app-2") instanceKilledAtMs = Date.now();
        process.kill(before[index] ?? 0, "SIGKILL");
        await sleep(2_500);
      }
    });
    // In flight on the killed instance: begun before, over at once.
    const inFlight = ({ startedAtMs, endedAtMs }: (typeof failures)[number]) => startedAtMs <= instanceKilledAtMs + 50 && endedAtMs >= instanceKilledAtMs - 50 && endedAtMs <= instanceKilledAtMs + 500;
    expect(failures.filter((failure) => !inFlight(failure))).toEqual([]);
    const after = await pids(killed);
    for (const [index, pid] of after.entries()) expect(pid, killed[index]).not.toBe(before[index]);
    const validation = await validate();
    expect(validation.code, validation.stdout).toBe(0);
  });

  it("restarts the app and copies again without a failed request, and the replica shows what is new", async () => {
    const instances = ["app", "app-2", "app-3"];
    const before = await pids(instances);
    const { failures } = await underLoad(async () => {
      await understudyOk("restart", "app", "--stack", stack);
      await understudyOk("copy", "--stack", stack);
    });
    expect(failures).toEqual([]);
    const oid = "SELECT oid::int FROM pg_database WHERE datname = current_database()";
    expect(await query("DATABASE_REPLICA_URL", oid)).toEqual(await query("DATABASE_URL", oid));
    for (const [index, pid] of (await pids(instances)).entries()) expect(pid).not.toBe(before[index]);
    expect((await understudy("restart", "app-9", "--stack", stack)).code).toBe(2);
  });

  it("exchanges the app by up without a failed request", async () => {
    const before = await pids(["app", "app-2", "app-3"]);
    const { failures } = await underLoad(() => understudyOk("up", "--stack", stack, "--set", 'app.environment={APP_VERSION: "9.9.9"}', "--set", "validation.enabled=false"));
    expect(failures).toEqual([]);
    for (const [index, pid] of (await pids(["app", "app-2", "app-3"])).entries()) expect(pid).not.toBe(before[index]);
  });

  it("promotes the replica, says so everywhere, and up makes it a replica again", async () => {
    const promoted = JSON.parse((await understudyOk("promote", "--stack", stack, "--json")).stdout) as { caughtUp: boolean; timeline: number };
    expect(promoted).toMatchObject({ caughtUp: true, timeline: 2 });
    expect(await query("DATABASE_REPLICA_URL", "SELECT pg_is_in_recovery() AS standby")).toEqual([{ standby: false }]);
    const validation = await validate();
    expect(validation.code).toBe(4);
    expect(validation.stdout).toContain("promoted");
    const refresh = await understudy("refresh", "--stack", stack);
    expect(refresh.code).toBe(6);
    expect(refresh.stderr).toContain("database-replica");
    await understudyOk("up", "--stack", stack);
    expect(await query("DATABASE_REPLICA_URL", "SELECT pg_is_in_recovery() AS standby")).toEqual([{ standby: true }]);
    expect((await validate()).code).toBe(0);
  });

  it("is gone whole", async () => {
    await understudyOk("destroy", "--stack", stack, "--yes", "--purge");
    expect(await leftoversOf(outputs.stackId)).toEqual([]);
    expect(await processesOf(layout())).toEqual([]);
    for (const port of Object.values(outputs.ports)) expect(await listenerOn(port)).toBeUndefined();
  });
});
