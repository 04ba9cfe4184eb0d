import { chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redisConf } from "../../components/cache.ts";
import type { CacheClusterSettings, CacheNode } from "../../engine/cache/node.ts";
import { startChild, type TestChild } from "./child.ts";
import { freePort } from "./ports.ts";
import { unprivileged } from "./unprivileged.ts";

/** Redis servers as the stack configures a cluster's nodes, not yet introduced to each other. */
export interface TestCacheNodes extends CacheClusterSettings {
  /** Ends a node at once; `start` brings it back on what it has on disk. */
  kill(index: number): Promise<void>;
  start(index: number): Promise<void>;
  /** Takes a dead node's data away. */
  wipe(index: number): Promise<void>;
  remove(): Promise<void>;
}

export async function startCacheNodes(count = 3): Promise<TestCacheNodes> {
  const folder = await mkdtemp(join(tmpdir(), "understudy-cluster-"));
  const password = "test-cluster-password";
  const ids = unprivileged();
  const give = (path: string) => (ids === undefined ? Promise.resolve() : chown(path, ids.uid, ids.gid));
  await give(folder);
  const nodes: CacheNode[] = [];
  for (let index = 0; index < count; index += 1) nodes.push({ host: "127.0.0.1", port: await freePort(), busPort: await freePort() });
  const children: TestChild[] = [];
  const place = (index: number) => join(folder, String(index));

  const start = async (index: number): Promise<void> => {
    const node = nodes[index];
    if (node === undefined) throw new Error(`there is no node ${index}`);
    await mkdir(place(index), { recursive: true });
    await give(place(index));
    const files = {
      "redis.conf": redisConf({ ...node, cache: { appendOnly: true, appendFsync: "everysec", maxMemoryMb: 32, cluster: 3 } }),
      "password.conf": `requirepass ${password}\nmasterauth ${password}\n`,
    };
    for (const [name, content] of Object.entries(files)) {
      await writeFile(join(place(index), name), content, { mode: 0o600 });
      await give(join(place(index), name));
    }
    const child = startChild("/usr/bin/redis-server", ["redis.conf", "--dir", place(index)], { ...ids, cwd: place(index) });
    children[index] = child;
    await child.waitUntil(async () => {
      if (!child.output().includes("Ready to accept connections")) throw new Error("not ready");
    });
  };
  const kill = async (index: number): Promise<void> => {
    await children[index]?.stop("SIGKILL");
  };
  await Promise.all(nodes.map((_, index) => start(index)));
  return {
    nodes,
    password,
    start,
    kill,
    wipe: (index) => rm(place(index), { recursive: true, force: true }),
    remove: async () => {
      await Promise.all(nodes.map((_, index) => kill(index)));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
