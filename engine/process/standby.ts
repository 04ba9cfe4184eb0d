import { execFile } from "node:child_process";
import { access, chown, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { exitCode, UnderstudyError } from "../errors.ts";
import { postgresProgram } from "../postgres/programs.ts";
import { redact } from "../redact.ts";
import type { Account } from "./account.ts";

const run = promisify(execFile);

/** A data folder that follows another server. */
export interface Standby {
  /** Absolute; its parent exists and belongs to the account. */
  readonly dataFolder: string;
  readonly primary: { readonly host: string; readonly port: number; readonly user: string; readonly password: string };
  /** Slot of the primary that keeps the log for this standby. */
  readonly slot: string;
  /** Names what it is copied from; with another one it is copied again. */
  readonly base: string;
}

/** Kept in the data folder: what it was copied from. */
const baseFile = "understudy.base";

/** A line of libpq's password file. */
export function passwordLine({ host, port, user, password }: Standby["primary"]): string {
  const escaped = (part: string) => part.replaceAll(/[\\:]/g, String.raw`\$&`);
  return `${escaped(host)}:${port}:*:${escaped(user)}:${escaped(password)}\n`;
}

/** Whether the folder still is a standby: PostgreSQL removes the signal when it is promoted. */
export async function isStandby({ dataFolder }: Pick<Standby, "dataFolder">): Promise<boolean> {
  return access(join(dataFolder, "standby.signal")).then(
    () => true,
    () => false,
  );
}

async function isCurrent(standby: Standby): Promise<boolean> {
  const base = await readFile(join(standby.dataFolder, baseFile), "utf8").catch(() => undefined);
  return base === standby.base && (await isStandby(standby));
}

/**
 * Copies a standby from its primary, unless it is there and still follows. Built under another name and renamed when whole.
 * @param stop ends the server that runs on what has to be replaced.
 * @throws UnderstudyError (exit 3) with what pg_basebackup said.
 */
export async function ensureStandby(standby: Standby, account: Account | undefined, stop: () => Promise<void>): Promise<void> {
  if (await isCurrent(standby)) return;
  await stop();
  const { dataFolder, primary, slot, base } = standby;
  const parent = dirname(dataFolder);
  const draft = `${dataFolder}.draft`;
  const passwordFile = join(parent, ".replication-password");
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordFile, passwordLine(primary), { mode: 0o600 });
  const ids = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  const give = (path: string) => (account === undefined ? Promise.resolve() : chown(path, account.uid, account.gid));
  for (const path of [draft, passwordFile]) await give(path);
  try {
    await run(
      await postgresProgram("pg_basebackup"),
      ["-D", draft, "-h", primary.host, "-p", String(primary.port), "-U", primary.user, "--slot", slot, "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--no-password"],
      { ...ids, cwd: parent, env: { PATH: "/usr/bin:/bin", LC_ALL: "C.UTF-8", TZ: "UTC", PGPASSFILE: passwordFile } },
    );
    for (const [name, content] of [["standby.signal", ""], [baseFile, base]] as const) {
      await writeFile(join(draft, name), content, { mode: 0o600 });
      await give(join(draft, name));
    }
  } catch (cause) {
    await rm(draft, { recursive: true, force: true });
    const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : String(cause);
    throw new UnderstudyError(`The replica could not be copied from ${primary.host}:${primary.port}: ${redact(said.split("\n").at(-1) ?? said, [primary.password])}.`, {
      exitCode: exitCode.provisioning,
      remedy: "See whether the primary runs (understudy status), and the free space.",
      cause,
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rm(dataFolder, { recursive: true, force: true });
  await rename(draft, dataFolder);
}
