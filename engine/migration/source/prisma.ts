import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "pg";
import { exitCode, messageOf, UnderstudyError } from "../../errors.ts";
import { parseMigrationFile, ParseProblem } from "./parse.ts";
import type { Direction, Migration, MigrationFile, MigrationState } from "./statement.ts";
import { isTransactionControl, whyNotInTransaction } from "./transaction.ts";

/** The file that says a folder of migrations is Prisma's, and which database they are for. */
export const prismaLock = "migration_lock.toml";

/**
 * Reads Prisma's folder of migrations: `<time>_<name>/migration.sql`, in the order of their names, and a `down.sql` beside it
 * where there is one. Prisma itself sends a file as one text, so that several statements are one transaction: one that cannot
 * run in a transaction stands alone in its file, or the server refuses it here as there.
 * @throws UnderstudyError (exit 2) that names everything wrong at once.
 */
export async function readPrismaFolder(folder: string): Promise<Migration[]> {
  const problems: string[] = [];
  const provider = /^\s*provider\s*=\s*"([^"]*)"/m.exec(await readFile(join(folder, prismaLock), "utf8"))?.[1];
  if (provider !== "postgresql") problems.push(`${prismaLock}: provider is ${provider === undefined ? "not named" : `"${provider}"`}, and must be "postgresql"`);
  const entries = await readdir(folder, { withFileTypes: true });
  const migrations: Migration[] = [];
  for (const name of entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort()) {
    const up = await readOne(folder, name, "up", problems);
    const down = await readOne(folder, name, "down", problems);
    if (up === undefined) continue;
    if (up.file.statements.length === 0) problems.push(`${up.file.name}: no statement in it`);
    migrations.push({ name, up: up.file, down: down?.file, stateOn: (client) => stateOf(client, name, up.checksum) });
  }
  if (problems.length === 0 && migrations.length === 0) problems.push("no migration in it");
  if (problems.length > 0) {
    throw new UnderstudyError(`Prisma's migrations in ${folder} cannot be rehearsed: ${problems.join("; ")}.`, { exitCode: exitCode.usage, remedy: "Correct these files." });
  }
  return migrations;
}

async function readOne(folder: string, migration: string, direction: Direction, problems: string[]): Promise<{ file: MigrationFile; checksum: string } | undefined> {
  const name = `${migration}/${direction === "up" ? "migration" : "down"}.sql`;
  const path = join(folder, name);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (direction === "up") problems.push(`${name}: ${messageOf(error)}`);
    return undefined;
  });
  if (text === undefined) return undefined;
  try {
    const file = await parseMigrationFile({ path, name, migration, direction, text });
    return { file: { ...file, withoutTransaction: whyWithout(file) }, checksum: createHash("sha256").update(text).digest("hex") };
  } catch (error) {
    if (!(error instanceof ParseProblem)) throw error;
    problems.push(error.message);
    return undefined;
  }
}

function whyWithout({ statements }: MigrationFile): string | undefined {
  const [first] = statements;
  if (first !== undefined && statements.length === 1) return whyNotInTransaction(first);
  return statements.some(isTransactionControl) ? "the file begins and ends its transactions itself" : undefined;
}

interface NotedRow {
  readonly checksum: string;
  readonly finished: boolean;
  readonly rolledBack: boolean;
  readonly logs: string | null;
}

/** What `_prisma_migrations` says of a migration. */
async function stateOf(client: Client, name: string, checksum: string): Promise<MigrationState> {
  const { rows: tables } = await client.query<{ there: boolean }>("SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there");
  if (tables[0]?.there !== true) return "pending";
  const { rows } = await client.query<NotedRow>(
    `SELECT checksum, finished_at IS NOT NULL AS finished, rolled_back_at IS NOT NULL AS "rolledBack", logs
       FROM _prisma_migrations WHERE migration_name = $1 ORDER BY started_at`,
    [name],
  );
  const standing = rows.findLast(({ rolledBack }) => !rolledBack);
  if (standing === undefined) return "pending";
  if (!standing.finished) {
    const why = standing.logs?.trim().split("\n", 1)[0] ?? "";
    return { problem: `it failed there${why === "" ? "" : ` (${why})`}, and Prisma applies nothing more until \`prisma migrate resolve\`` };
  }
  return standing.checksum === checksum ? "applied" : { problem: "its file was changed after it was applied" };
}
