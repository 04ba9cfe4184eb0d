import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { backupFileName } from "../../../engine/backup/fileName.ts";
import { verifyBackup } from "../../../engine/backup/index.ts";
import { startSchedule, type BackupSchedule } from "../../../engine/backup/schedule.ts";
import type { StagingDatabase } from "../../../engine/staging/database.ts";
import { prepareStaging } from "../../../engine/staging/prepare.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";
import { freePort } from "../../support/ports.ts";
import { startPostgres, type TestServer } from "../../support/postgres.ts";

let server: TestServer;
let staging: StagingDatabase;
let folder: string;
beforeAll(async () => {
  server = await startPostgres();
  const passwords = { admin: server.adminPassword, owner: "owner-secret", app: "app-secret", readOnly: "readonly-secret" };
  staging = { host: server.host, port: server.port, database: "staging_db", passwords };
  await prepareStaging({ staging, workload: await loadWorkload("workloads/stories"), stack: "test" });
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "understudy-schedule-"));
  return () => rm(folder, { recursive: true, force: true });
});
afterAll(() => server?.stop("immediate"));

const hour = 3_600_000;
const backups = async () => (await readdir(folder)).filter((name) => name.endsWith(".sql.gz")).sort();
/** A backup as it was made so long ago; what is in it does not matter here. */
const plantOld = async (hoursAgo: number) => {
  const name = backupFileName({ stack: "test", at: new Date(Date.now() - hoursAgo * hour), attempt: 1 });
  await writeFile(join(folder, name), "old");
  await utimes(join(folder, name), new Date(), new Date());
  return name;
};

async function run(options: Partial<BackupSchedule>, use: (schedule: ReturnType<typeof startSchedule>, lines: string[]) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const lines: string[] = [];
  const schedule = startSchedule({ staging, stack: "test", folder, intervalMs: 6 * hour, keepHours: 24, retryMs: 100, log: (line) => lines.push(line), ...options }, stop.signal);
  try {
    await use(schedule, lines);
  } finally {
    stop.abort();
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("not in time");
    await sleep(50);
  }
}

describe("backups on a schedule", () => {
  it("makes the first at once, whole, and removes what is older than a day", async () => {
    const [kept, removed] = [await plantOld(23), await plantOld(25)];
    await run({}, async (schedule) => {
      await until(async () => (await schedule.state()).lastSuccess !== undefined && (await backups()).length === 2 && !(await backups()).includes(removed));
      const names = await backups();
      expect(names).toContain(kept);
      const made = names.find((name) => name !== kept) ?? "";
      expect((await verifyBackup(join(folder, made))).trailer).toMatchObject({ stack: "test", database: "staging_db" });
    });
  });

  it("makes none before it is due, and one when it is", async () => {
    const recent = await plantOld(1);
    await run({}, async (schedule) => {
      await sleep(600);
      expect(await backups()).toEqual([recent]);
      expect((await schedule.state()).problem).toBeUndefined();
    });
    await run({ intervalMs: hour / 2 }, () => until(async () => (await backups()).length === 2));
  });

  it("says what is wrong, tries again, and leaves nothing half-made", async () => {
    await run({ staging: { ...staging, port: await freePort() } }, async (schedule, lines) => {
      await until(async () => lines.length >= 2);
      expect((await schedule.state()).problem).toMatch(/Cannot open .*ECONNREFUSED/);
      expect(lines.join("\n")).not.toContain(server.adminPassword);
      expect(await readdir(folder)).toEqual([]);
    });
  });
});

describe("its service", () => {
  it("answers health and metrics, and ends when it is told to", async () => {
    const port = await freePort();
    const child = spawn(process.execPath, ["engine/backup/scheduleServer.ts"], {
      env: {
        ...process.env,
        HOST: "127.0.0.1",
        PORT: String(port),
        BACKUP_DATABASE_URL: `postgresql://understudy_admin:${server.adminPassword}@127.0.0.1:${server.port}/staging_db`,
        BACKUP_STACK: "test",
        BACKUP_FOLDER: folder,
        BACKUP_EVERY_SECONDS: "3600",
        BACKUP_KEEP_HOURS: "24",
      },
      stdio: "ignore",
    });
    try {
      const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
      await until(async () => (await get("/health"))?.status === 200);
      const metrics = (await (await get("/metrics"))?.text()) ?? "";
      expect(Number(/^understudy_backup_last_success_seconds (\S+)$/m.exec(metrics)?.[1])).toBeGreaterThan(Date.now() / 1_000 - 60);
      expect(metrics).toMatch(/^understudy_backup_failing 0$/m);
      expect(metrics).toMatch(/^understudy_backup_interval_seconds 3600$/m);
    } finally {
      child.kill("SIGTERM");
      const [code] = (await once(child, "exit")) as [number | null];
      expect(code).toBe(0);
    }
    expect(await backups()).toHaveLength(1);
  });

  it("names what is missing in its environment, and no value", async () => {
    const child = spawn(process.execPath, ["engine/backup/scheduleServer.ts"], { env: { PATH: process.env["PATH"], BACKUP_DATABASE_URL: "postgresql://x:geheim@h/d" }, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    await once(child, "close");
    expect(child.exitCode).not.toBe(0);
    expect(said).toMatch(/HOST.*PORT.*BACKUP_STACK/);
    expect(said).not.toContain("geheim");
  });
});
