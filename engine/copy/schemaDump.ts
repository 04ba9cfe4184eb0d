import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { exitCode, messageOf, UnderstudyError } from "../errors.ts";
import type { ConnectionSettings } from "../postgres/connection.ts";
import { postgresProgram } from "../postgres/programs.ts";
import { interrupted } from "../postgres/session.ts";
import { splitSessions } from "./sourceSession.ts";

/** The source's schema in a file of ours, nobody else's to read. */
export interface SchemaDump {
  /** Entries kept, as `pg_restore --list` writes them. */
  restore(section: "pre-data" | "post-data", target: ConnectionSettings, jobs: number): Promise<void>;
  /** Entries that the copy leaves out, in words. */
  readonly leftOut: readonly string[];
  remove(): Promise<void>;
}

/**
 * Entries that must not come to staging: what would reach out to other servers by itself, what fires on
 * everything a superuser does.
 */
const unwanted = /^\d+; \d+ \d+ (?<kind>EVENT TRIGGER|USER MAPPING|SUBSCRIPTION|PUBLICATION(?: TABLE| TABLES IN SCHEMA)?)\b/;
const worthMentioning = /^(EVENT TRIGGER|USER MAPPING|SUBSCRIPTION)$/;

const dumpArguments = [
  "--format=custom",
  "--compress=0",
  "--schema-only",
  "--no-owner",
  "--no-privileges",
  "--no-tablespaces",
  "--no-security-labels",
  "--no-publications",
  "--no-subscriptions",
  "--lock-wait-timeout=5000",
] as const;

/** Always the same for one target, so that what a killed run left is found. */
function folderOf(target: ConnectionSettings): string {
  const id = createHash("sha256").update(`${target.host}:${target.port}/${target.database}`).digest("hex").slice(0, 16);
  return join(tmpdir(), `understudy-copy-${process.getuid?.() ?? 0}-${id}`);
}

/** Removes what a killed run left of its schema file. */
export async function removeStaleDump(target: ConnectionSettings): Promise<void> {
  await rm(folderOf(target), { recursive: true, force: true });
}

export interface DumpOptions {
  readonly source: ConnectionSettings;
  /** The database to be filled; names the file. */
  readonly target: ConnectionSettings;
  readonly snapshot: string;
  /** Of the source, as `server_version_num`. */
  readonly serverVersion: number;
  readonly excludedSchemas: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Dumps the schema as the snapshot sees it, READ ONLY, with lock waits bounded.
 * @throws UnderstudyError exit 3 when pg_dump is older than the source or fails.
 */
export async function dumpSchema(options: DumpOptions): Promise<SchemaDump> {
  const { source, target, signal } = options;
  const program = await postgresProgram("pg_dump");
  await refuseOldProgram(program, options.serverVersion);
  const folder = folderOf(target);
  const file = join(folder, "schema.dump");
  const remove = async (): Promise<void> => rm(folder, { recursive: true, force: true });
  await remove();
  await mkdir(folder, { mode: 0o700 });
  try {
    await run(
      program,
      [
        ...dumpArguments,
        `--snapshot=${options.snapshot}`,
        `--file=${file}`,
        ...options.excludedSchemas.map((schema) => `--exclude-schema="${schema}"`),
        ...connectionArguments(source),
      ],
      { ...environment(source), PGOPTIONS: "-c default_transaction_read_only=on" },
      "pg_dump",
      signal,
    ).catch((error: unknown) => {
      throw /invalid snapshot identifier|snapshot .* does not exist|could not import the requested snapshot/.test(messageOf(error)) ? splitSessions(options.snapshot, error) : error;
    });
    const restoreProgram = await postgresProgram("pg_restore");
    const list = await run(restoreProgram, ["--list", file], environment(target), "pg_restore --list", signal);
    const lines = list.split("\n");
    const listFile = join(folder, "wanted.list");
    await writeFile(listFile, lines.filter((line) => !unwanted.test(line)).join("\n"), { mode: 0o600 });
    const restore = async (section: string, into: ConnectionSettings, jobs: number): Promise<void> => {
      await run(
        restoreProgram,
        [
          "--exit-on-error",
          "--no-owner",
          "--no-privileges",
          `--section=${section}`,
          `--use-list=${listFile}`,
          ...(section === "post-data" && jobs > 1 ? [`--jobs=${jobs}`] : []),
          ...connectionArguments(into),
          file,
        ],
        { ...environment(into), PGOPTIONS: `-c synchronous_commit=off -c maintenance_work_mem=256MB -c max_parallel_maintenance_workers=${helpersOf(jobs)}` },
        `pg_restore --section=${section}`,
        signal,
      );
    };
    return { restore, leftOut: mentioned(lines), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Workers that help each job to build an index: what cores there are, shared by the jobs. */
function helpersOf(jobs: number): number {
  return Math.max(0, Math.floor(availableParallelism() / jobs) - 1);
}

function mentioned(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const kind = unwanted.exec(line)?.groups?.["kind"] ?? "";
    return worthMentioning.test(kind) ? [line.replace(/^\d+; \d+ \d+ /, "").trim()] : [];
  });
}

function connectionArguments({ host, port, user, database }: ConnectionSettings): string[] {
  return [`--host=${host}`, `--port=${port}`, `--username=${user}`, "--no-password", `--dbname=${database}`];
}

function environment(settings: ConnectionSettings): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    LC_ALL: "C.UTF-8",
    PGPASSWORD: settings.password,
    PGPASSFILE: "/dev/null",
    PGSERVICEFILE: "/dev/null",
    PGSSLMODE: settings.sslmode ?? "disable",
    PGCONNECT_TIMEOUT: "5",
    PGAPPNAME: "understudy copy",
    PGTZ: "UTC",
  };
}

async function refuseOldProgram(program: string, serverVersion: number): Promise<void> {
  const text = await run(program, ["--version"], { PATH: "" }, "pg_dump --version", undefined);
  const major = Number(/\d+/.exec(text)?.[0]);
  const wanted = Math.floor(serverVersion / 10_000);
  if (major >= wanted) return;
  throw new UnderstudyError(`${program} is of version ${major}, the source of version ${wanted}: it cannot read its schema.`, {
    exitCode: exitCode.provisioning,
    remedy: `Install postgresql-${wanted} (or newer) here.`,
  });
}

/** Standard output of a program; its last lines of standard error become the message when it fails. */
async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  name: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const child = spawn(program, args, { env, stdio: ["ignore", "pipe", "pipe"], ...(signal === undefined ? {} : { signal }) });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-4_000)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  }).catch((cause: unknown) => {
    throw signal?.aborted === true
      ? interrupted("The copy")
      : new UnderstudyError(`${name} could not run: ${messageOf(cause)}.`, { exitCode: exitCode.provisioning, cause });
  });
  if (signal?.aborted === true) throw interrupted("The copy");
  if (code === 0) return stdout;
  const said = stderr.trim().split("\n").filter((line) => !/^(DETAIL|CONTEXT|Command was):/i.test(line)).slice(-6).join(" ");
  throw new UnderstudyError(`${name} failed: ${said || `exit code ${code}`}`, {
    exitCode: exitCode.provisioning,
    remedy: "Staging is as it was.",
  });
}
