import { mkdtemp, rm, writeFile, chown } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild, type TestChild } from "./child.ts";
import { freePort } from "./ports.ts";
import { unprivileged } from "./unprivileged.ts";

/** A Redis of a test, with a password, on a free loopback port; keeps nothing on disk. */
export interface TestRedis {
  readonly port: number;
  readonly password: string;
  readonly url: string;
  /** Ends the server; `start()` brings it back, empty, on the same port. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
  child(): TestChild;
}

export async function startRedis(): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), "understudy-redis-"));
  const port = await freePort();
  const password = "test-redis-password";
  const ids = unprivileged();
  const config = join(folder, "redis.conf");
  await writeFile(
    config,
    `bind 127.0.0.1\nport ${port}\nrequirepass ${password}\nsave ""\nappendonly no\ndir ${folder}\ndaemonize no\n`,
    { mode: 0o600 },
  );
  if (ids !== undefined) {
    await chown(folder, ids.uid, ids.gid);
    await chown(config, ids.uid, ids.gid);
  }
  let child: TestChild;
  const start = async (): Promise<void> => {
    child = startChild("/usr/bin/redis-server", [config], { ...ids, cwd: folder });
    await child.waitUntil(() => accepts(port));
  };
  await start();
  return {
    port,
    password,
    url: `redis://:${password}@127.0.0.1:${port}`,
    start,
    child: () => child,
    stop: async (signal = "SIGTERM") => {
      await child.stop(signal);
    },
    remove: async () => {
      await child.stop("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function accepts(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}
