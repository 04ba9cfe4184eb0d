import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { accountFor } from "../../engine/process/account.ts";
import { ensureStandby, passwordLine, type Standby } from "../../engine/process/standby.ts";
import { replicaSlot, replicationRole } from "../../engine/postgres/replication.ts";
import { postgresProgram } from "../../engine/postgres/programs.ts";
import { replicaConnectionsOf, type StagingDatabase } from "../../engine/staging/database.ts";
import { prepareStaging } from "../../engine/staging/prepare.ts";
import { ensureReplication } from "../../engine/staging/replication.ts";
import { loadWorkload } from "../../engine/workload/manifest.ts";
import { standbySettings } from "../../platforms/process/standby.ts";
import { startChild, type TestChild } from "./child.ts";
import { freePort } from "./ports.ts";
import { startPostgres, type TestServer } from "./postgres.ts";

/** A prepared staging primary, and a replica of it as the stack makes one. */
export interface TestReplica {
  readonly primary: TestServer;
  readonly staging: StagingDatabase & { readonly replica: { readonly host: string; readonly port: number } };
  readonly replicationPassword: string;
  /** What the replica was copied from. */
  base(): string;
  /** Makes the slot good and the copy current, and starts the server: what `up` does. */
  up(): Promise<void>;
  /** Ends the replica's server. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it on what it has. */
  start(): Promise<void>;
  readonly standbyFolder: string;
  remove(): Promise<void>;
}

export async function startReplica(primarySettings: Readonly<Record<string, string>> = {}, workloadFolder = "workloads/stories"): Promise<TestReplica> {
  const primary = await startPostgres(primarySettings);
  const account = await accountFor(["postgres"]);
  const folder = await mkdtemp(join(tmpdir(), "understudy-replica-"));
  await chmod(folder, 0o700);
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  const replicationPassword = "replication:se\\cret";
  const replica = { host: "127.0.0.1", port: await freePort() };
  const staging = {
    host: primary.host,
    port: primary.port,
    database: "staging_db",
    passwords: { admin: primary.adminPassword, owner: "owner-secret", app: "app-secret", readOnly: "readonly-secret" },
    replica,
  };
  await prepareStaging({ staging, workload: await loadWorkload(workloadFolder), stack: "test" });
  const dataFolder = join(folder, "pgdata");
  const passwordFile = join(folder, "replication.pass");
  const source = { host: primary.host, port: primary.port, user: replicationRole, password: replicationPassword };
  await writeFile(passwordFile, passwordLine(source), { mode: 0o600 });
  if (account !== undefined) await chown(passwordFile, account.uid, account.gid);
  let base = "";
  let child: TestChild | undefined;
  const stop = async (signal: NodeJS.Signals = "SIGINT"): Promise<void> => {
    await child?.stop(signal);
  };
  const start = async (): Promise<void> => {
    const settings = {
      listen_addresses: replica.host,
      port: String(replica.port),
      unix_socket_directories: "",
      fsync: "off",
      max_connections: "60",
      ...standbySettings({ ...source, slot: replicaSlot, base }, { name: "database-replica", passwordFile }),
    };
    child = startChild(await postgresProgram("postgres"), ["-D", dataFolder, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])], {
      ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
      cwd: folder,
      env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8", TZ: "UTC" },
    });
    const [settingsOf] = replicaConnectionsOf(staging, "admin", "postgres");
    await child.waitUntil(async () => {
      const client = new Client({ ...settingsOf, ssl: false });
      await client.connect();
      await client.end();
    });
  };
  const up = async (): Promise<void> => {
    base = await ensureReplication({ staging, password: replicationPassword, slot: replicaSlot }, base);
    const standby: Standby = { dataFolder, primary: source, slot: replicaSlot, base };
    let stopped = child === undefined;
    await ensureStandby(standby, account, async () => {
      await stop();
      stopped = true;
    });
    if (stopped) await start();
  };
  return {
    primary,
    staging,
    replicationPassword,
    base: () => base,
    up,
    stop,
    start,
    standbyFolder: dataFolder,
    remove: async () => {
      await stop("SIGQUIT");
      await primary.stop("immediate");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
