import { createCluster } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureCacheCluster } from "../../../engine/cache/cluster.ts";
import { knownNodes, nodeTimeoutMs, withNodes } from "../../../engine/cache/node.ts";
import { readCacheCluster } from "../../../engine/cache/state.ts";
import { probe } from "../../../engine/health/index.ts";
import { startCacheNodes, type TestCacheNodes } from "../../support/cacheCluster.ts";
import { startRedis } from "../../support/redis.ts";

let cluster: TestCacheNodes;
beforeAll(async () => {
  cluster = await startCacheNodes();
});
afterAll(() => cluster?.remove());

const idsOf = () => withNodes(cluster, (connections) => Promise.all(connections.map(async ({ command }) => String(await command("CLUSTER", "MYID")))));

const clientOf = () => createCluster({ rootNodes: cluster.nodes.map(({ host, port }) => ({ socket: { host, port } })), defaults: { password: cluster.password } });

async function withClient<Result>(use: (client: ReturnType<typeof clientOf>) => Promise<Result>): Promise<Result> {
  const client = clientOf();
  client.on("error", () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

describe("three Redis servers", () => {
  it("answer as nodes before they are a cluster, which is said of them", async () => {
    for (const node of cluster.nodes) {
      expect(await probe({ kind: "redis", host: node.host, port: node.port, password: cluster.password, clusterNode: true })).toMatchObject({ ok: true });
    }
    expect((await readCacheCluster(cluster)).problems.join("; ")).toMatch(/knows 1 nodes, not 3.*0 of 16384 slots are served/s);
  });

  it("become one cluster, all slots served, every write in an append-only file", async () => {
    await ensureCacheCluster(cluster);
    const { problems, nodes } = await readCacheCluster(cluster);
    expect(problems).toEqual([]);
    expect(nodes.map(({ slots }) => slots)).toEqual([[[0, 5460]], [[5461, 10922]], [[10923, 16383]]]);
    expect(nodes.every(({ appendOnly }) => appendOnly)).toBe(true);
    await withNodes(cluster, async (connections) => {
      for (const { command } of connections) expect(await command("CONFIG", "GET", "cluster-node-timeout")).toEqual({ "cluster-node-timeout": String(nodeTimeoutMs) });
    });
  });

  it("are left alone when they are one already", async () => {
    const before = await idsOf();
    const views = await withNodes(cluster, (connections) => Promise.all(connections.map(knownNodes)));
    await ensureCacheCluster(cluster);
    expect(await idsOf()).toEqual(before);
    expect(views.every((view) => view.length === 3)).toBe(true);
  });

  it("lose nothing when one is killed, and are whole once it is back", async () => {
    const keys = Array.from({ length: 60 }, (_, index) => `kept:${index}`);
    await withClient((client) => Promise.all(keys.map((key) => client.set(key, key))));
    // Written to the file within a second (everysec).
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await cluster.kill(1);
    await expect(readCacheCluster(cluster)).rejects.toThrow(`node 127.0.0.1:${cluster.nodes[1]?.port}`);
    await cluster.start(1);
    await ensureCacheCluster(cluster);
    expect(await withClient((client) => Promise.all(keys.map((key) => client.get(key))))).toEqual(keys);
  });

  it("take in one that comes back without its data, under another name", async () => {
    const before = await idsOf();
    await cluster.kill(2);
    await cluster.wipe(2);
    await cluster.start(2);
    expect((await readCacheCluster(cluster)).problems).not.toEqual([]);
    await ensureCacheCluster(cluster);
    const after = await idsOf();
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    expect(after[2]).not.toBe(before[2]);
    expect((await readCacheCluster(cluster)).problems).toEqual([]);
  });
});

describe("what is wrong", () => {
  it("slots that nobody serves are seen, and shared out again", async () => {
    await withNodes(cluster, async ([first]) => first?.command("CLUSTER", "DELSLOTSRANGE", "100", "199"));
    expect((await readCacheCluster(cluster)).problems).toContain("16284 of 16384 slots are served");
    await ensureCacheCluster(cluster);
    expect((await readCacheCluster(cluster)).problems).toEqual([]);
  });

  it("a node that stays away is named, in time", async () => {
    await cluster.kill(0);
    const startedAt = Date.now();
    await expect(ensureCacheCluster({ ...cluster, timeoutMs: 1_000 })).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining(`node 127.0.0.1:${cluster.nodes[0]?.port}`) });
    expect(Date.now() - startedAt).toBeLessThan(8_000);
    await cluster.start(0);
    await ensureCacheCluster(cluster);
  });

  it("a server by itself is no node", async () => {
    const redis = await startRedis();
    try {
      const seen = await probe({ kind: "redis", host: "127.0.0.1", port: redis.port, password: redis.password, clusterNode: true });
      expect(seen).toMatchObject({ ok: false, detail: expect.stringContaining("not a node of a cluster") });
    } finally {
      await redis.remove();
    }
  });
});
