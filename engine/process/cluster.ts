import { execFile } from "node:child_process";
import { access, chown, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { exitCode, UnderstudyError } from "../errors.ts";
import { postgresProgram } from "../postgres/programs.ts";
import type { Account } from "./account.ts";

const run = promisify(execFile);

/** A PostgreSQL data folder to be. */
export interface Cluster {
  /** Absolute; its parent exists and belongs to the account. */
  readonly dataFolder: string;
  readonly adminUser: string;
  readonly adminPassword: string;
}

/**
 * Makes a PostgreSQL cluster with SCRAM passwords for every connection, unless it is there.
 * Built under another name and renamed when whole, so that a killed run leaves nothing that looks finished.
 * @throws UnderstudyError (exit 3) with what initdb said.
 */
export async function ensureCluster(cluster: Cluster, account: Account | undefined): Promise<void> {
  const { dataFolder, adminUser, adminPassword } = cluster;
  if (await access(join(dataFolder, "PG_VERSION")).then(() => true, () => false)) return;
  const parent = dirname(dataFolder);
  const draft = `${dataFolder}.draft`;
  const passwordFile = join(parent, ".initdb-password");
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordFile, adminPassword, { mode: 0o600 });
  const ids = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  if (account !== undefined) {
    for (const path of [draft, passwordFile]) await chown(path, account.uid, account.gid);
  }
  try {
    await run(
      await postgresProgram("initdb"),
      ["-D", draft, "-U", adminUser, "--pwfile", passwordFile, "--auth=scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-sync"],
      { ...ids, cwd: parent, env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8", TZ: "UTC" } },
    );
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : String(cause);
    throw new UnderstudyError(`initdb could not make ${dataFolder}: ${reasonIn(said)}.`, {
      exitCode: exitCode.provisioning,
      remedy: "Look at the free space and the permissions of that folder.",
      cause,
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, dataFolder);
}

/** initdb ends with what it cleaned up; why is said above that, by the server it had started or by itself. */
function reasonIn(said: string): string {
  const lines = said.split("\n");
  const reason = lines.find((line) => /\b(?:FATAL|PANIC|ERROR|error):/.test(line)) ?? lines.at(-1) ?? "";
  return reason.replace(/^.*?\b(?:FATAL|PANIC|ERROR|error):\s*/, "").trim();
}
