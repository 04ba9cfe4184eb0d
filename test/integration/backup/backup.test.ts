import { execFile, spawn } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { backupDatabase, restoreBackup, verifyBackup } from "../../../engine/backup/index.ts";
import type { Backup } from "../../../engine/backup/index.ts";
import { connectionOf } from "../../../engine/staging/database.ts";
import type { StagingDatabase } from "../../../engine/staging/database.ts";
import { prepareStaging } from "../../../engine/staging/prepare.ts";
import { loadWorkload } from "../../../engine/workload/manifest.ts";
import { tableChecksums } from "../../support/checksums.ts";
import { runUntilKilled } from "../../support/diesAt.ts";
import { startPostgres, withClient } from "../../support/postgres.ts";
import type { TestServer } from "../../support/postgres.ts";

const run = promisify(execFile);
let server: TestServer;
let staging: StagingDatabase;
let root: string;
let folder: string;
let number = 0;

beforeAll(async () => {
  server = await startPostgres();
  root = await mkdtemp(join(tmpdir(), "understudy-backup-"));
  staging = {
    host: server.host,
    port: server.port,
    database: "staging_db",
    passwords: { admin: server.adminPassword, owner: "owner-secret", app: "app-secret", readOnly: "reader-secret" },
  };
  const workload = await loadWorkload("workloads/stories");
  await prepareStaging({ staging, workload, stack: "local" });
  await withClient(connectionOf(staging, "admin"), async (client) => {
    await client.query("SELECT set_config('understudy.source_users', '200', false)");
    await client.query(await readFile(workload.path("source/generate.sql"), "utf8"));
    await client.query(`CREATE TABLE "Ödd ""name""" (id int GENERATED ALWAYS AS IDENTITY, b bytea, t text);
      INSERT INTO "Ödd ""name""" (b, t) VALUES ('\\x00ff', E'tab\\tnew\\nline \\\\. end'), (NULL, '')`);
  });
  await prepareStaging({ staging, workload, stack: "local" });
});
afterAll(async () => {
  await server.stop("immediate");
  await rm(root, { recursive: true, force: true });
});
beforeEach(() => {
  number += 1;
  folder = join(root, `folder-${number}`);
});

const backup = (changes: { signal?: AbortSignal; folder?: string; stack?: string } = {}): Promise<Backup> =>
  backupDatabase({ staging, folder, stack: "local", ...changes });
const restore = (file: string, changes: { signal?: AbortSignal; stack?: string; sha256?: string } = {}) =>
  restoreBackup({ staging, file, stack: "local", ...changes });
const live = () => tableChecksums(connectionOf(staging, "admin"));
const databases = () =>
  withClient(server.admin(), async (client) =>
    (await client.query<{ datname: string }>("SELECT datname FROM pg_database WHERE datname LIKE 'staging%' ORDER BY 1")).rows.map((row) => row.datname));
const schema = async (database: string): Promise<string> => {
  const { passwords } = staging;
  const { stdout } = await run("pg_dump", ["-s", "-h", server.host, "-p", String(server.port), "-U", "understudy_admin", database], {
    env: { PATH: process.env["PATH"] ?? "", PGPASSWORD: passwords.admin },
    maxBuffer: 10_000_000,
  });
  return stdout.replaceAll(/^\\(un)?restrict .*$/gm, "");
};

describe.sequential("backup", () => {
  test("one whole file, 0600, under its name only", async () => {
    const made = await backup();
    expect(made.file).toMatch(/staging-backup-local-\d{8}T\d{6}Z\.sql\.gz$/);
    expect(await readdir(folder)).toEqual([made.file.split("/").at(-1)]);
    const entry = await stat(made.file);
    expect(entry.mode & 0o777).toBe(0o600);
    expect(entry.size).toBe(made.sizeBytes);
    expect(made.tables).toMatchObject({ User: 200, 'Ödd "name"': 2, "staging_logs.marker": 1 });
    await expect(verifyBackup(made.file, { sha256: made.sha256 })).resolves.toMatchObject({
      sha256: made.sha256, sizeBytes: made.sizeBytes, trailer: { stack: "local", database: "staging_db", tables: made.tables },
    });
  });

  test("two in the same second keep apart", async () => {
    const files = (await Promise.all([backup(), backup()])).map(({ file }) => file);
    expect(new Set(files).size).toBe(2);
    expect(await readdir(folder)).toHaveLength(2);
  });

  test("no password anywhere in the process list, nor in the file", async () => {
    const making = backup();
    const seen: string[] = [];
    const watch = (async () => {
      for (let i = 0; i < 40; i += 1) {
        const { stdout } = await run("ps", ["-eo", "args"]);
        seen.push(...stdout.split("\n").filter((line) => line.includes("pg_dump")));
        await sleep(10);
      }
    })();
    const { file } = await making;
    await watch;
    expect(seen.length).toBeGreaterThan(0);
    const dump = gunzipSync(await readFile(file)).toString();
    for (const text of [seen.join("\n"), dump]) expect(text).not.toContain(server.adminPassword);
    expect(seen.join("\n")).not.toMatch(/secret/);
    expect(dump).not.toMatch(/owner-secret|SCRAM-SHA-256/);
  });

  test("what is written meanwhile is not in it, neither in rows nor in counts", async () => {
    const writer = withClient(connectionOf(staging, "app"), async (client) => {
      for (let i = 0; i < 60; i += 1) await client.query(`INSERT INTO "Donation" ("amountCents") VALUES (${i + 1})`);
    });
    const made = await backup();
    await writer;
    await expect(restore(made.file)).resolves.toMatchObject({ tables: made.tables });
  });

  test("a database without the marker, another stack's, a wrong password", async () => {
    await withClient(server.admin(), (client) => client.query("CREATE DATABASE unmarked"));
    await expect(backupDatabase({ staging: { ...staging, database: "unmarked" }, folder, stack: "local" })).rejects.toMatchObject({ exitCode: 4 });
    await expect(backup({ stack: "other" })).rejects.toMatchObject({ exitCode: 2 });
    const passwords = { ...staging.passwords, admin: "wrong-secret" };
    await expect(backupDatabase({ staging: { ...staging, passwords }, folder, stack: "local" })).rejects.toMatchObject({ exitCode: 3 });
    expect(await readdir(folder)).toEqual([]);
  });

  test("interrupted: exit 130 and no half file", async () => {
    await expect(backup({ signal: AbortSignal.timeout(60) })).rejects.toMatchObject({ exitCode: 130 });
    expect(await readdir(folder).catch(() => [])).toEqual([]);
  });

  test("a server that dies meanwhile: exit 3 and no half file", async () => {
    // A small database is dumped before it can be hit; with a lock in the way it is not.
    const result = await withClient(connectionOf(staging, "owner"), async (client) => {
      await client.query('BEGIN; LOCK TABLE "Order" IN ACCESS EXCLUSIVE MODE');
      const kill = sleep(500).then(() => withClient(server.admin(), (other) =>
        other.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'understudy pg_dump'")));
      const outcome = await backup().then(() => "made", (error: unknown) => error);
      await kill;
      return outcome;
    });
    expect(result).toMatchObject({ exitCode: 3, message: expect.stringContaining("pg_dump failed") });
    expect(await readdir(folder)).toEqual([]);
  });

  test("killed in the middle: nothing under a backup's name, and the next one cleans up", async () => {
    const script = join(import.meta.dirname, "backupForever.ts");
    const child = spawn(process.execPath, [script, JSON.stringify({ staging, folder, stack: "local" })], { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("close", resolve));
    expect(await readdir(folder)).toEqual([expect.stringMatching(/^\.staging-backup-local-.*\.partial$/)]);
    const { file } = await backup();
    expect(await readdir(folder)).toEqual([file.split("/").at(-1)]);
  });

  test("a full disk: a clear error, exit 3, no half file", async (context) => {
    const small = join(root, "small");
    await run("mkdir", [small]);
    const mounted = await run("mount", ["-t", "tmpfs", "-o", "size=32k", "tmpfs", small]).then(() => true, () => false);
    if (!mounted) context.skip("no right to mount a small file system");
    try {
      await expect(backup({ folder: small })).rejects.toMatchObject({ exitCode: 3, message: expect.stringMatching(/^No space left for the backup in /) });
      expect(await readdir(small)).toEqual([]);
    } finally {
      await run("umount", [small]);
    }
  });

  test("a folder that cannot be written", async () => {
    await writeFile(`${root}/file`, "");
    await expect(backup({ folder: `${root}/file` })).rejects.toThrow(/EEXIST|ENOTDIR/);
  });
});

describe.sequential("verify", () => {
  let whole: Backup;
  beforeAll(async () => {
    whole = await backupDatabase({ staging, folder: join(root, "whole"), stack: "local" });
  });
  const changed = async (change: (bytes: Buffer) => Buffer): Promise<string> => {
    const file = join(root, `changed-${number}.sql.gz`);
    await writeFile(file, change(await readFile(whole.file)));
    return file;
  };

  test.each([
    ["cut short", (bytes: Buffer) => bytes.subarray(0, bytes.length - 20)],
    ["cut in half", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ["one bit turned", (bytes: Buffer) => Buffer.from(bytes.with(Math.floor(bytes.length / 2), (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1))],
    ["empty", () => Buffer.alloc(0)],
    ["no gzip", (bytes: Buffer) => gunzipSync(bytes)],
    ["a whole gzip of half a dump", (bytes: Buffer) => gzipSync(gunzipSync(bytes).subarray(0, 20_000))],
  ])("%s: refused, and what is in use stays", async (_what, change) => {
    const file = await changed(change);
    const before = await live();
    await expect(verifyBackup(file)).rejects.toMatchObject({ exitCode: 4, message: expect.stringContaining("is not whole") });
    await expect(restore(file)).rejects.toMatchObject({ exitCode: 4 });
    expect(await live()).toEqual(before);
  });

  test("another file than the one expected", async () => {
    await expect(verifyBackup(whole.file, { sha256: "00" })).rejects.toMatchObject({ exitCode: 4, message: expect.stringContaining("SHA-256") });
    await expect(verifyBackup(join(root, "none.sql.gz"))).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe.sequential("restore", () => {
  test("gives back rows, schema, owners and privileges, and keeps what was in use", async () => {
    const before = await live();
    const schemaBefore = await schema("staging_db");
    const made = await backup();
    await withClient(connectionOf(staging, "owner"), (client) => client.query('DELETE FROM "Donation"; ALTER TABLE "Story" ADD "extra" int; DROP TABLE "UserStory"'));
    const changed = await live();
    const restored = await restore(made.file, { sha256: made.sha256 });
    expect(restored).toMatchObject({ previous: "staging_db_previous", tables: made.tables });
    expect(await live()).toEqual(before);
    expect(await schema("staging_db")).toBe(schemaBefore);
    expect(await tableChecksums(connectionOf(staging, "admin", "staging_db_previous"))).toEqual(changed);
    expect(await databases()).toEqual(["staging_db", "staging_db_previous"]);
    await withClient(connectionOf(staging, "app"), async (client) => {
      await client.query(`INSERT INTO "Donation" ("amountCents") VALUES (1)`);
      await expect(client.query("CREATE TEMP TABLE t ()")).rejects.toMatchObject({ code: "42501" });
    });
    await withClient(connectionOf(staging, "readOnly"), (client) => client.query('SELECT FROM "User" LIMIT 1'));
  });

  test("while the application is connected and busy", async () => {
    const made = await backup();
    const done = new AbortController();
    const busy = (async () => {
      while (!done.signal.aborted) await withClient(connectionOf(staging, "app"), async (client) => {
        client.on("error", () => {});
        await client.query('SELECT count(*) FROM "User"');
      }).catch(() => {});
    })();
    await restore(made.file).finally(() => done.abort());
    await busy;
    expect(await databases()).toEqual(["staging_db", "staging_db_previous"]);
  });

  test("plain psql loads it into an empty database too", async () => {
    const made = await backup();
    await withClient(server.admin(), (client) => client.query("CREATE DATABASE by_hand TEMPLATE template0"));
    await run("sh", ["-c", `zcat "$1" | psql -q -v ON_ERROR_STOP=1 -h ${server.host} -p ${server.port} -U understudy_admin by_hand`, "sh", made.file], {
      env: { PATH: process.env["PATH"] ?? "", PGPASSWORD: server.adminPassword },
    });
    expect(await tableChecksums(server.admin("by_hand"))).toEqual(await live());
  });

  test("a database that is gone comes back", async () => {
    const before = await live();
    const { file } = await backup();
    await withClient(server.admin(), (client) => client.query("DROP DATABASE staging_db WITH (FORCE)"));
    await expect(restore(file)).resolves.toMatchObject({ previous: undefined });
    expect(await live()).toEqual(before);
  });

  const refused = async (edit: (sql: string) => string, expected: Record<string, unknown>) => {
    const { file } = await backup();
    const edited = join(folder, "edited.sql.gz");
    await copyFile(file, edited);
    await writeFile(edited, gzipSync(edit(gunzipSync(await readFile(file)).toString())));
    const before = await live();
    await expect(restore(edited)).rejects.toMatchObject(expected);
    expect(await live()).toEqual(before);
    expect(await databases()).not.toContain("staging_db_restoring");
  };

  test("rows missing", () => refused((sql) => sql.replace(/^(COPY public\."Donation" .*\n).*\n/m, "$1"), { exitCode: 4, message: expect.stringMatching(/Donation has \d+ rows, expected \d+/) }));
  test("no marker inside: a dump of something else", () =>
    refused((sql) => sql.replace(/^(COPY staging_logs\.marker .*\n).*\n/m, "$1"), { exitCode: 4, message: expect.stringContaining("no staging marker") }));
  test("another stack's", () => refused((sql) => sql.replace(/^t\tstaging\tlocal\t/m, "t\tstaging\tother\t"), { exitCode: 2 }));
  test("SQL that fails: what psql said", () =>
    refused((sql) => `SELECT no_such_function();\n${sql}`, { exitCode: 3, message: expect.stringContaining("no_such_function") }));

  test("into a database without the marker: refused before anything is made", async () => {
    const { file } = await backup();
    await expect(restoreBackup({ staging: { ...staging, database: "unmarked" }, file, stack: "local" })).rejects.toMatchObject({ exitCode: 4 });
    await expect(restore(file, { stack: "other" })).rejects.toMatchObject({ exitCode: 2 });
  });

  test("interrupted: exit 130, nothing switched, nothing left", async () => {
    const { file } = await backup();
    const before = await live();
    await expect(restore(file, { signal: AbortSignal.timeout(80) })).rejects.toMatchObject({ exitCode: 130 });
    expect(await live()).toEqual(before);
    expect(await databases()).not.toContain("staging_db_restoring");
  });

  test("killed while loading: what is in use stays, the next run converges", async () => {
    const { file } = await backup();
    const before = await live();
    await runUntilKilled(join(import.meta.dirname, "restoreAndDie.ts"), { staging, file, stack: "local" });
    expect(await live()).toEqual(before);
    await restore(file);
    expect(await live()).toEqual(before);
    expect(await databases()).toEqual(["staging_db", "staging_db_previous"]);
  });
});
