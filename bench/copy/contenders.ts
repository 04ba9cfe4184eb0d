import { access, rm } from "node:fs/promises";
import { constants } from "node:fs";
import { delimiter, join } from "node:path";
import { withClient } from "../../test/support/postgres.ts";
import type { ConnectionSettings } from "../../engine/postgres/connection.ts";
import { postgresProgram } from "../../engine/postgres/programs.ts";
import { measure } from "./measure.ts";
import type { Measured } from "./measure.ts";
import type { BenchWorld, Variant } from "./world.ts";

/** Workers of every contender: the machine's two cores. */
export const jobs = 2;

export interface Ours extends Measured {
  readonly rows: number;
  readonly stages: readonly { readonly stage: string; readonly durationMs: number }[];
}

/**
 * The whole copy, in a process of its own with the flags of `understudy copy`, from the first guard to the report.
 * @throws Error when the copy was not switched in.
 */
export async function runOurs(world: BenchWorld, variant: Variant): Promise<Ours> {
  const options = {
    source: world.source,
    staging: world.staging,
    workloadFolder: world.workloadFolder(variant),
    stack: "bench",
    maskingKey: "a-secret-of-the-bench-0001",
    reportsFolder: join(world.folder, "reports"),
  };
  const measured = await measure(process.execPath, ["--max-semi-space-size=4", join(import.meta.dirname, "once.ts")], {}, JSON.stringify(options));
  const told = JSON.parse(measured.stdout) as Pick<Ours, "rows" | "stages"> & { switched: boolean; failed: unknown };
  if (!told.switched) throw new Error(`the ${variant} copy was not switched in: ${JSON.stringify(told.failed)}`);
  return { ...measured, rows: told.rows, stages: told.stages };
}

function connect({ host, port, user, database }: ConnectionSettings): string[] {
  return [`--host=${host}`, `--port=${port}`, `--username=${user}`, "--no-password", `--dbname=${database}`];
}

const contenderDatabase = "contender";

async function intoNewDatabase(world: BenchWorld, work: (target: ConnectionSettings) => Promise<number>): Promise<number> {
  const fresh = (sql: string) => withClient(world.targetAdmin, (client) => client.query(sql));
  await fresh(`CREATE DATABASE ${contenderDatabase} TEMPLATE template0`);
  try {
    return await work({ ...world.targetAdmin, database: contenderDatabase });
  } finally {
    await fresh(`DROP DATABASE ${contenderDatabase} WITH (FORCE)`);
  }
}

/** `pg_dump -Fd -j -Z0`, then `pg_restore -j`: seconds of both together. */
export function runDumpRestore(world: BenchWorld): Promise<number> {
  return intoNewDatabase(world, async (target) => {
    const folder = join(world.folder, "dump");
    const common = ["--no-owner", "--no-privileges"];
    const dump = ["--format=directory", `--jobs=${jobs}`, "--compress=0", `--file=${folder}`, ...common, ...connect(world.source)];
    try {
      const dumped = await measure(await postgresProgram("pg_dump"), dump, { PGPASSWORD: world.source.password });
      const restore = [`--jobs=${jobs}`, "--exit-on-error", ...common, ...connect(target), folder];
      const restored = await measure(await postgresProgram("pg_restore"), restore, { PGPASSWORD: target.password });
      return dumped.seconds + restored.seconds;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}

/** `pg_dump | psql`. */
export function runDumpPipe(world: BenchWorld): Promise<number> {
  return intoNewDatabase(world, async (target) => {
    const line = `PGPASSWORD="$SOURCE_PASSWORD" "$PG_DUMP" --no-owner --no-privileges ${connect(world.source).join(" ")} |
      PGPASSWORD="$TARGET_PASSWORD" "$PSQL" -qX -v ON_ERROR_STOP=1 -o /dev/null ${connect(target).join(" ")}`;
    const env = {
      PG_DUMP: await postgresProgram("pg_dump"),
      PSQL: await postgresProgram("psql"),
      SOURCE_PASSWORD: world.source.password,
      TARGET_PASSWORD: target.password,
    };
    return (await measure("sh", ["-c", line], env)).seconds;
  });
}

/** The program's place on PATH, where it is there. */
export async function onPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const file = join(folder, program);
    if (await access(file, constants.X_OK).then(() => true, () => false)) return file;
  }
  return undefined;
}

/** `pgcopydb clone` with as many workers. */
export function runPgcopydb(world: BenchWorld, program: string): Promise<number> {
  return intoNewDatabase(world, async (target) => {
    const url = ({ host, port, user, password, database }: ConnectionSettings) => `postgresql://${user}:${password}@${host}:${port}/${database}`;
    const folder = join(world.folder, "pgcopydb");
    const args = ["clone", "--no-owner", "--no-acl", "--table-jobs", String(jobs), "--index-jobs", String(jobs), "--split-tables-larger-than", "16MB", "--dir", folder];
    const env = { PGCOPYDB_SOURCE_PGURI: url(world.source), PGCOPYDB_TARGET_PGURI: url(target) };
    return (await measure(program, args, env).finally(() => rm(folder, { recursive: true, force: true }))).seconds;
  });
}
