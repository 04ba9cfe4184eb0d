import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { exitCode, UnderstudyError } from "../errors.ts";
import type { ConnectionSettings } from "../postgres/connection.ts";
import { postgresProgram } from "../postgres/programs.ts";
import { redact } from "../redact.ts";

/** A running `pg_dump` or `psql`. */
export interface ClientProgram {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves when it ended well. @throws UnderstudyError (exit 3) with what it wrote to stderr. */
  readonly ended: Promise<void>;
  kill(): void;
}

/** Starts one of PostgreSQL's own clients; where it connects to, and the password, are in its environment, not in its arguments. */
export async function startClientProgram(
  program: "pg_dump" | "psql",
  settings: ConnectionSettings,
  args: readonly string[],
): Promise<ClientProgram> {
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(await postgresProgram(program), [...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"] ?? "",
      LC_ALL: "C.UTF-8",
      TZ: "UTC",
      PGHOST: settings.host,
      PGPORT: String(settings.port),
      PGDATABASE: settings.database,
      PGUSER: settings.user,
      PGPASSWORD: settings.password,
      PGSSLMODE: settings.sslmode ?? "disable",
      PGCONNECT_TIMEOUT: "10",
      PGAPPNAME: `understudy ${program}`,
    },
  });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-4_000);
  });
  child.stdin.on("error", () => {});
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) return resolve();
      const why = redact(complaint.trim(), [settings.password]) || (signal === null ? `exit code ${code ?? "unknown"}` : `killed by ${signal}`);
      reject(new UnderstudyError(`${program} failed: ${why}`, { exitCode: exitCode.provisioning }));
    });
  });
  ended.catch(() => {});
  return { stdin: child.stdin, stdout: child.stdout, ended, kill: () => void child.kill("SIGTERM") };
}
