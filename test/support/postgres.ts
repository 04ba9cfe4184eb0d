import { randomBytes } from "node:crypto";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { postgresProgram } from "../../engine/postgres/programs.ts";
import type { ConnectionSettings } from "../../engine/postgres/connection.ts";
import { freePort } from "./ports.ts";

const run = promisify(execFile);

/** A PostgreSQL server of a test: own port, own data folder, gone after `stop()`. */
export interface TestServer {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly folder: string;
  readonly adminPassword: string;
  /** Superuser `understudy_admin` on the given database (default `postgres`). */
  admin(database?: string): ConnectionSettings;
  stop(mode?: "fast" | "immediate"): Promise<void>;
}

function unprivilegedIds(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const entry = readFileSync("/etc/passwd", "utf8").split("\n").find((line) => line.startsWith("postgres:"));
  const [, , uid, gid] = entry?.split(":") ?? [];
  if (uid === undefined || gid === undefined) throw new Error("running as root, and there is no user postgres");
  return { uid: Number(uid), gid: Number(gid) };
}

/**
 * Starts PostgreSQL with SCRAM passwords on a free loopback port. `settings` are `-c name=value`.
 * @param binaries folder of another version's programs; default the one that the project uses
 */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}, binaries?: string): Promise<TestServer> {
  const program = async (name: "initdb" | "postgres"): Promise<string> => (binaries === undefined ? postgresProgram(name) : join(binaries, name));
  const ids = unprivilegedIds();
  const folder = await mkdtemp(join(tmpdir(), "understudy-pg-"));
  const data = join(folder, "data");
  const passwordFile = join(folder, "password");
  const adminPassword = randomBytes(12).toString("hex");
  await writeFile(passwordFile, adminPassword, { mode: 0o600 });
  if (ids !== undefined) {
    await chown(folder, ids.uid, ids.gid);
    await chown(passwordFile, ids.uid, ids.gid);
  }
  const env = { PATH: process.env["PATH"] ?? "", LC_ALL: "C.UTF-8", TZ: "UTC" };
  await run(
    await program("initdb"),
    ["-D", data, "-U", "understudy_admin", "--pwfile", passwordFile, "--auth=scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"],
    { ...ids, cwd: folder, env },
  );
  const port = await freePort();
  const options: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    fsync: "off",
    max_connections: "60",
    ...settings,
  };
  const server: ChildProcess = spawn(
    await program("postgres"),
    ["-D", data, ...Object.entries(options).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    { ...ids, cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  server.stderr?.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4_000);
  });
  const exited = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const admin = (database = "postgres"): ConnectionSettings => ({
    host: "127.0.0.1",
    port,
    database,
    user: "understudy_admin",
    password: adminPassword,
  });
  await waitUntilReady(admin(), server, () => log);
  return {
    host: "127.0.0.1",
    port,
    folder,
    adminPassword,
    admin,
    stop: async (mode = "fast") => {
      if (server.exitCode === null) server.kill(mode === "fast" ? "SIGINT" : "SIGQUIT");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function waitUntilReady(settings: ConnectionSettings, server: ChildProcess, log: () => string): Promise<void> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode}: ${log()}`);
    try {
      await withClient(settings, (client) => client.query("SELECT 1"));
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`postgres not ready: ${log()}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Runs `use` with a connected client and closes it whatever happens. */
export async function withClient<Result>(
  settings: ConnectionSettings,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({ ...settings, ssl: false });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
