import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ensureCluster } from "../../../engine/process/cluster.ts";

let parent = "";

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "understudy-cluster-"));
  await chmod(parent, 0o755);
});

afterEach(() => rm(parent, { recursive: true, force: true }));

it("gives initdb's own reason, and leaves nothing, when a cluster cannot be made", async () => {
  const account = { name: "nobody", uid: 65_534, gid: 65_534 };
  const root = process.getuid?.() === 0;
  // An administrator's name that PostgreSQL keeps for itself is refused by initdb alone.
  const cluster = { dataFolder: join(parent, "data"), adminUser: "pg_admin", adminPassword: "not-shown-anywhere" };
  const failure = await ensureCluster(cluster, root ? account : undefined).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    exitCode: 3,
    message: expect.stringMatching(/initdb could not make .*\/data: superuser name "pg_admin" is disallowed; role names cannot begin with "pg_"/),
  });
  expect(String(failure)).not.toContain("not-shown-anywhere");
  expect(await readdir(parent)).toEqual([]);
});
