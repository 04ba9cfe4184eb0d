import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { exitCode, messageOf, UnderstudyError } from "../../errors.ts";
import type { ConnectionSettings } from "../../postgres/connection.ts";
import type { Direction } from "../source/statement.ts";

/** A migration tool as the workload configures it: what brings its pending migrations on, takes them back, and tells of them. */
export interface MigrationTool {
  /** Stands for all pending migrations together, in the report and in the expectations. */
  readonly name: string;
  /** Absolute folder in which the commands run. */
  readonly folder: string;
  readonly up: readonly string[];
  readonly down: readonly string[] | undefined;
  readonly status: { readonly run: readonly string[]; readonly pending: string } | undefined;
  readonly environment: Readonly<Record<string, string>>;
  /** Tables, as PostgreSQL writes them, in which the tool keeps what it applied. */
  readonly bookkeeping: readonly string[];
}

/** Tables in which well-known tools keep what they applied. */
export const knownBookkeeping = [
  "django_migrations",
  "flyway_schema_history",
  "pgmigrations",
  "knex_migrations",
  "knex_migrations_lock",
  "schema_migrations",
  "ar_internal_metadata",
  "alembic_version",
  "goose_db_version",
  "databasechangelog",
  "databasechangeloglock",
  "_prisma_migrations",
  '"SequelizeMeta"',
] as const;

export interface ToolEnded {
  readonly code: number | null;
  readonly output: string;
  /** The last lines of what it wrote to stderr, or else to stdout, without the password. */
  readonly lastWords: string;
}

export interface ToolStart {
  readonly tool: MigrationTool;
  readonly command: readonly string[];
  readonly connection: ConnectionSettings;
  /** Migrations that were pending at first, for a rollback that asks how many. */
  readonly count: number;
}

/**
 * Starts a command of the tool in a process group of its own. It gets the connection as DATABASE_URL and as libpq's variables,
 * MIGRATION_COUNT, what the workload sets, and of our own environment only PATH, HOME and LANG.
 */
export function startTool({ tool, command, connection, count }: ToolStart): { readonly child: ChildProcess; readonly ended: Promise<ToolEnded> } {
  const { host, port, database, user, password } = connection;
  const [program = "", ...args] = command;
  const part = encodeURIComponent;
  const child = spawn(program, args, {
    cwd: tool.folder,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...Object.fromEntries(["PATH", "HOME", "LANG"].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
      DATABASE_URL: `postgresql://${part(user)}:${part(password)}@${host}:${port}/${part(database)}`,
      PGHOST: host,
      PGPORT: String(port),
      PGDATABASE: database,
      PGUSER: user,
      PGPASSWORD: password,
      PGSSLMODE: "disable",
      MIGRATION_COUNT: String(count),
      ...tool.environment,
    },
  });
  return { child, ended: endOf(child, command, password) };
}

async function endOf(child: ChildProcess, command: readonly string[], password: string): Promise<ToolEnded> {
  const failed = once(child, "error").then(([cause]) => {
    throw new UnderstudyError(`The migration tool could not be started: ${command[0] ?? ""}: ${messageOf(cause)}.`, {
      exitCode: exitCode.usage,
      remedy: "Correct `migrations.command` in the workload's workload.yaml, or install the tool.",
      cause,
    });
  });
  const closed = Promise.all([child.stdout === null ? "" : text(child.stdout), child.stderr === null ? "" : text(child.stderr), once(child, "close")]);
  const [output, errors] = await Promise.race([closed, failed]);
  failed.catch(() => {});
  const words = (errors.trim() === "" ? output : errors).trim().split("\n").slice(-3).join(" / ").replaceAll(password, "***");
  return { code: child.exitCode, output, lastWords: words.slice(0, 500) };
}

/** Ends the tool and all it started. */
export function endTool(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended by itself meanwhile.
  }
}

export function commandOf(tool: MigrationTool, direction: Direction): readonly string[] {
  const command = direction === "up" ? tool.up : tool.down;
  if (command === undefined) throw new Error(`the workload names no ${direction} command`);
  return command;
}
