import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { automaticOffset, portConflicts, readLeases, releaseLeases, takeLeases } from "../../../engine/process/leases.ts";
import { freePort } from "../../support/ports.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "understudy-leases-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function listen(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

describe("port leases", () => {
  it("are held by one stack, and let go", async () => {
    const port = await freePort();
    await takeLeases("a-1", { app: port }, root);
    await takeLeases("a-1", { app: port }, root);
    expect(await readLeases(root)).toEqual([{ stack: "a-1", service: "app", port }]);
    await expect(takeLeases("b-2", { web: port }, root)).rejects.toThrow(new RegExp(`port ${port} \\(web\\) is held by stack a-1 \\(its app\\)`));
    await releaseLeases("a-1", root);
    await takeLeases("b-2", { web: port }, root);
    expect(await portConflicts("b-2", { web: port }, root)).toEqual([]);
  });

  it("name the process that holds a port, and take none of the others", async () => {
    const [busy, free] = [await freePort(), await freePort()];
    const server = await listen(busy);
    try {
      await expect(takeLeases("a-1", { app: free, database: busy }, root)).rejects.toMatchObject({
        exitCode: 3,
        message: expect.stringContaining(`port ${busy} (database) is held by process ${process.pid}`),
      });
      expect(await readLeases(root)).toEqual([]);
    } finally {
      server.close();
    }
  });

  it("all or none: of many stacks that want the same ports at once, one gets all", async () => {
    const ports = { app: await freePort(), web: await freePort(), database: await freePort() };
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, index) => takeLeases(`s-${index}`, ports, root)));
    const winners = outcomes.filter(({ status }) => status === "fulfilled");
    const held = await readLeases(root);
    expect(winners.length).toBeLessThanOrEqual(1);
    expect(new Set(held.map(({ stack }) => stack)).size).toBe(winners.length);
    expect(held).toHaveLength(winners.length * 3);
  });

  it("let go of what is no longer wanted when one port moves", async () => {
    const [first, second] = [await freePort(), await freePort()];
    await takeLeases("a-1", { app: first }, root);
    await takeLeases("a-1", { app: second }, root);
    expect((await readLeases(root)).map(({ port }) => port)).toEqual([second]);
  });

  it("find an offset at which all ports are free, and keep it", async () => {
    const base = await freePort();
    await takeLeases("other-1", { app: base + 100 }, root);
    const offset = await automaticOffset("mine-1", { app: base }, root);
    expect(offset % 100).toBe(0);
    expect(offset).toBeGreaterThan(100);
    await takeLeases("mine-1", { app: base + offset }, root);
    expect(await automaticOffset("mine-1", { app: base }, root)).toBe(offset);
  });
});
