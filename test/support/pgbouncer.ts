import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { pgbouncerIni } from "../../components/databasePool.ts";
import { connectionOf, stagingRoles, type StagingDatabase } from "../../engine/staging/database.ts";
import { startChild } from "./child.ts";
import { freePort } from "./ports.ts";
import { unprivileged } from "./unprivileged.ts";

/** A PgBouncer in front of a staging server, as the stack configures it. */
export interface TestPool {
  readonly host: "127.0.0.1";
  readonly port: number;
  stop(): Promise<void>;
}

/** @param change what a test plants in `pgbouncer.ini`. */
export async function startPool(staging: StagingDatabase, change: (ini: string) => string = (ini) => ini): Promise<TestPool> {
  const folder = await mkdtemp(join(tmpdir(), "understudy-pool-"));
  const port = await freePort();
  const ids = unprivileged("postgres");
  const userList = join(folder, "users.txt");
  const files = {
    "pgbouncer.ini": change(pgbouncerIni({ listen: { host: "127.0.0.1", port }, primary: staging, database: staging.database, userList })),
    "users.txt": `"${stagingRoles.app}" "${staging.passwords.app}"\n`,
  };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), content, { mode: 0o600 });
    if (ids !== undefined) await chown(join(folder, name), ids.uid, ids.gid);
  }
  if (ids !== undefined) await chown(folder, ids.uid, ids.gid);
  const child = startChild("/usr/sbin/pgbouncer", [join(folder, "pgbouncer.ini")], { ...ids, cwd: folder, env: {} });
  await child.waitUntil(async () => {
    const client = new Client({ ...connectionOf(staging, "app"), host: "127.0.0.1", port, ssl: false });
    await client.connect();
    await client.end();
  });
  return {
    host: "127.0.0.1",
    port,
    stop: async () => {
      await child.stop("SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
