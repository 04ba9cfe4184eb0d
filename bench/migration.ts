import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { baseSettings } from "../components/database.ts";
import { Board } from "../engine/migration/board.ts";
import { CloneSet } from "../engine/migration/clones/cloneSet.ts";
import { migrate } from "../engine/migration/context.ts";
import type { RehearsalContext } from "../engine/migration/context.ts";
import { expectationsDocument, expectationsOf } from "../engine/migration/expectations.ts";
import { rehearseMigrations } from "../engine/migration/rehearse.ts";
import { readMigrationFolder } from "../engine/migration/source/folder.ts";
import { silent } from "../engine/progress.ts";
import { postgresProgram } from "../engine/postgres/programs.ts";
import { inTransaction } from "../engine/postgres/session.ts";
import { createSampleSource } from "../engine/source/sample.ts";
import { connectionOf } from "../engine/staging/database.ts";
import type { StagingDatabase } from "../engine/staging/database.ts";
import { fitOutDatabase } from "../engine/staging/fitOut.ts";
import { prepareStaging } from "../engine/staging/prepare.ts";
import { claimDatabase } from "../engine/staging/privileges.ts";
import { loadWorkload } from "../engine/workload/manifest.ts";
import { startPostgres, withClient } from "../test/support/postgres.ts";
import type { TestServer } from "../test/support/postgres.ts";
import { publish } from "./figures.ts";

/**
 * Rehearses LEARNER to CUSTOMER on a server of its own, set as the stack's is: what the harness adds to the bare migration,
 * what a clone costs beside `createdb -T`, and the whole rehearsal on a million users. Each rehearsal is a process of its own,
 * so that its memory can be told. `node bench/migration.ts [users]` for another size than a million.
 */
const users = Number(process.argv[2] ?? 1_000_000);
const fewUsers = users / 10;
const stack = "bench";
/** As cli/understudy starts Node. */
const nodeFlag = "--max-semi-space-size=4";
const rounds = 3;
const run = promisify(execFile);
const workload = await loadWorkload(join(import.meta.dirname, "..", "workloads", "stories"));

interface Rehearsed {
  readonly seconds: number;
  readonly peakMb: number;
  /** Of the server's processes while it ran: what a quiet machine could not do without, whatever else ran on this one. */
  readonly serverCpuSeconds: number;
  /** Checks of severity error that did not pass, in words. */
  readonly wrong: readonly string[];
}

async function rehearse(staging: StagingDatabase): Promise<Rehearsed> {
  const reportsFolder = await mkdtemp(join(tmpdir(), "understudy-bench-"));
  try {
    const startedAt = performance.now();
    const { report } = await rehearseMigrations({ staging, workload, stack, reportsFolder, targetRows: 5_000_000, onProgress: ({ step, message }) => note(`${step}: ${message}`) });
    const wrong = report.checks.filter(({ status, severity }) => severity === "error" && (status === "failed" || status === "errored"));
    return { serverCpuSeconds: 0, seconds: (performance.now() - startedAt) / 1_000, peakMb: process.resourceUsage().maxRSS / 1_024, wrong: wrong.map(({ id, evidence }) => `${id}: ${evidence}`) };
  } finally {
    await rm(reportsFolder, { recursive: true, force: true });
  }
}

async function rehearseApart(server: TestServer, staging: StagingDatabase): Promise<Rehearsed> {
  const cpuBefore = await cpuSeconds(server);
  const child = spawn(process.execPath, [nodeFlag, import.meta.filename, "rehearse"], { env: { ...process.env, BENCH_STAGING: JSON.stringify(staging) }, stdio: ["ignore", "pipe", "inherit"] });
  const [output] = await Promise.all([text(child.stdout), once(child, "close")]);
  if (child.exitCode !== 0) throw new Error(`the rehearsal of ${staging.database} ended with ${child.exitCode ?? child.signalCode}`);
  const rehearsed = { ...(JSON.parse(output) as Rehearsed), serverCpuSeconds: (await cpuSeconds(server)) - cpuBefore };
  for (const line of rehearsed.wrong) note(`${staging.database}: ${line}`);
  return rehearsed;
}

/** CPU time of the server and all its processes that have ended, by its entry in /proc. */
async function cpuSeconds({ folder }: TestServer): Promise<number> {
  const pid = (await readFile(join(folder, "data", "postmaster.pid"), "utf8")).split("\n", 1)[0] ?? "";
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return ticks / 100;
}

/** The sample production, made on the server itself and fitted out as staging. */
async function makeStaging(server: TestServer, count: number): Promise<StagingDatabase> {
  const database = `staging_${count}`;
  const staging = { host: server.host, port: server.port, database, passwords: { admin: server.adminPassword, owner: "owner", app: "app", readOnly: "reader" } };
  await prepareStaging({ staging: { ...staging, database: "staging_db" }, workload, stack });
  note(`making ${count} users`);
  await createSampleSource({ server: { ...server, adminPassword: server.adminPassword }, database, workload, users: count, readerPassword: "reader" });
  await withClient(connectionOf(staging, "admin"), (client) =>
    inTransaction(client, async () => {
      await claimDatabase(client, database);
      await fitOutDatabase(client, { workload, stack });
    }),
  );
  return staging;
}

/** Ratio of the medians of two works, done in turn, so that a busy machine is busy for both. */
async function ratioOf(work: () => Promise<number>, beside: () => Promise<number>): Promise<number> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    times[0].push(await work());
    times[1].push(await beside());
  }
  const [one, other] = times.map((list) => list.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0);
  return (one ?? 0) / (other ?? 1);
}

async function cloneRatio(server: TestServer, staging: StagingDatabase): Promise<number> {
  const createdb = join(dirname(await postgresProgram("psql")), "createdb");
  const env = { ...process.env, PGHOST: server.host, PGPORT: String(server.port), PGUSER: server.admin().user, PGPASSWORD: server.adminPassword };
  const clones = await CloneSet.open(staging);
  try {
    return await ratioOf(
      async () => {
        const startedAt = performance.now();
        const clone = await clones.cloneStaging();
        const tookMs = performance.now() - startedAt;
        await clones.drop(clone);
        return tookMs;
      },
      async () => {
        const startedAt = performance.now();
        await run(createdb, ["-T", staging.database, "bench_createdb"], { env });
        const tookMs = performance.now() - startedAt;
        await withClient(server.admin(), (client) => client.query("DROP DATABASE bench_createdb"));
        return tookMs;
      },
    );
  } finally {
    await clones.close();
  }
}

/** Up with all that watches it, against the same file run by psql. */
async function harnessRatio(staging: StagingDatabase): Promise<number> {
  const [migration] = await readMigrationFolder(workload.path(workload.manifest.migrations.folder));
  if (migration === undefined) throw new Error("the workload has no migration");
  const psql = await postgresProgram("psql");
  const clones = await CloneSet.open(staging);
  try {
    const base = await clones.cloneStaging();
    const document = expectationsDocument.parse({});
    const tally = { up: { attempted: 0, succeeded: 0 }, down: { attempted: 0, succeeded: 0 } };
    const expectations = expectationsOf(document, migration.name);
    const context: RehearsalContext = { clones, base, migration, next: undefined, document, expectations, workload, board: new Board(), tally, targetRows: undefined, onProgress: silent, signal: undefined };
    const onClone = async (work: (clone: string) => Promise<void>): Promise<number> => {
      const clone = await clones.clone(base);
      const startedAt = performance.now();
      await work(clone);
      const tookMs = performance.now() - startedAt;
      await clones.drop(clone);
      return tookMs;
    };
    return await ratioOf(
      () =>
        onClone(async (clone) => {
          const { succeeded } = await migrate(context, clone, "up", { trace: true });
          if (!succeeded) throw new Error("up was refused");
        }),
      () =>
        onClone(async (clone) => {
          const { host, port, user, password, database } = clones.settings(clone, "owner");
          const env = { ...process.env, PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: database };
          await run(psql, ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", migration.up.path], { env });
        }),
    );
  } finally {
    await clones.close();
  }
}

function note(message: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} load ${loadavg()[0]?.toFixed(1) ?? ""} ${message}\n`);
}

async function bench(): Promise<void> {
  const loadBefore = loadavg();
  const server = await startPostgres({ fsync: "on", ...baseSettings });
  try {
    const few = await makeStaging(server, fewUsers);
    note(`up watched and bare, ${fewUsers} users`);
    const harness = await harnessRatio(few);
    const small = await rehearseApart(server, few);
    const many = await makeStaging(server, users);
    note(`clone and createdb -T, ${users} users`);
    const clone = await cloneRatio(server, many);
    const large = await rehearseApart(server, many);
    await publish("migration", [
      { name: "up-watched-to-bare", value: harness, unit: "ratio", bound: { relation: "<=", value: 1.3 } },
      { name: "clone-to-createdb", value: clone, unit: "ratio", bound: { relation: "<=", value: 1.2 } },
      { name: "rehearsal-1m-users", value: large.seconds, unit: "s", bound: { relation: "<=", value: 180 } },
      { name: "rehearsal-1m-checks-failed", value: large.wrong.length, unit: "checks", bound: { relation: "<=", value: 0 } },
      { name: "peak-memory-1m-users", value: large.peakMb, unit: "MB", bound: { relation: "<=", value: 300 } },
      { name: "peak-memory-1m-to-100k", value: large.peakMb / small.peakMb, unit: "ratio", bound: { relation: "<=", value: 1.2 } },
    ], { users, fewUsers, small, large, loadBefore, loadAfter: loadavg() });
  } finally {
    await server.stop("immediate");
  }
}

if (process.argv[2] === "rehearse") process.stdout.write(JSON.stringify(await rehearse(JSON.parse(process.env["BENCH_STAGING"] ?? "{}") as StagingDatabase)));
else await bench();
