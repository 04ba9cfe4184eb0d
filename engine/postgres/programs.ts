import { access, readdir } from "node:fs/promises";
import { constants } from "node:fs";
import { delimiter, join } from "node:path";
import { exitCode, UnderstudyError } from "../errors.ts";

export const supportedMajors = [17, 16, 15, 14, 13] as const;

export type PostgresProgram = "postgres" | "initdb" | "pg_basebackup" | "pg_ctl" | "pg_dump" | "pg_restore" | "psql" | "pg_isready";

const debianRoot = "/usr/lib/postgresql";

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function candidateFolders(): Promise<string[]> {
  const versions = await readdir(debianRoot).catch((): string[] => []);
  const packaged = supportedMajors
    .filter((major) => versions.includes(String(major)))
    .map((major) => join(debianRoot, String(major), "bin"));
  const onPath = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  return [...packaged, ...onPath];
}

/**
 * The folder with a whole PostgreSQL server: Debian's versioned folders first (newest supported), then PATH.
 * @throws UnderstudyError (exit 3) when there is none.
 */
export async function postgresFolder(): Promise<string> {
  for (const folder of await candidateFolders()) {
    const [server, initdb] = await Promise.all([
      isExecutable(join(folder, "postgres")),
      isExecutable(join(folder, "initdb")),
    ]);
    if (server && initdb) return folder;
  }
  throw new UnderstudyError(`No PostgreSQL server (13 to 17) found under ${debianRoot} or on PATH.`, {
    exitCode: exitCode.provisioning,
    remedy: "Run `make setup`, or install postgresql-15.",
  });
}

/** Absolute path of one of PostgreSQL's programs, from the server's own folder. */
export async function postgresProgram(program: PostgresProgram): Promise<string> {
  return join(await postgresFolder(), program);
}
