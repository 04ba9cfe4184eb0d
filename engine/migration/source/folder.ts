import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { exitCode, messageOf, UnderstudyError } from "../../errors.ts";
import { parseMigrationFile, ParseProblem } from "./parse.ts";
import type { Migration, MigrationFile } from "./statement.ts";

const fileName = /^(?<name>(?<number>\d{4,14})_[a-z0-9][a-z0-9_-]*)\.(?<direction>up|down)\.sql$/;

/**
 * Reads a folder of plain SQL pairs, `NNNN_name.up.sql` and `NNNN_name.down.sql`, in the order of their numbers.
 * A missing down file is no error here: the rehearsal reports it as a migration without a way back.
 * @throws UnderstudyError (exit 2) that names everything wrong at once.
 */
export async function readMigrationFolder(folder: string): Promise<Migration[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new UnderstudyError(`Migrations folder ${folder} cannot be read: ${messageOf(cause)}.`, { exitCode: exitCode.usage, cause });
  });
  const sqlFiles = names.filter((name) => name.endsWith(".sql")).sort();
  const problems = sqlFiles.filter((name) => !fileName.test(name)).map((name) => `${name}: not NNNN_name.up.sql or NNNN_name.down.sql`);
  const files = await parseAll(folder, sqlFiles.filter((name) => fileName.test(name)), problems);

  const migrations = [...Map.groupBy(files, (file) => file.migration)].map(([name, pair]): Migration | undefined => {
    const up = pair.find((file) => file.direction === "up");
    const down = pair.find((file) => file.direction === "down");
    if (up === undefined) problems.push(`${name}: a down file without its up file`);
    else if (up.statements.length === 0) problems.push(`${up.name}: no statement in it`);
    return up === undefined ? undefined : { name, up, down };
  });
  for (const [number, same] of Map.groupBy(migrations, (migration) => migration?.name.split("_", 1)[0] ?? "")) {
    if (number !== "" && same.length > 1) problems.push(`number ${number} is taken by ${same.map((migration) => migration?.name).join(" and ")}`);
  }
  if (problems.length === 0 && migrations.length === 0) problems.push("no migration in it");
  if (problems.length > 0) {
    throw new UnderstudyError(`Migrations in ${folder} cannot be rehearsed: ${problems.join("; ")}.`, {
      exitCode: exitCode.usage,
      remedy: "Correct these files.",
    });
  }
  return migrations.filter((migration) => migration !== undefined);
}

async function parseAll(folder: string, names: readonly string[], problems: string[]): Promise<MigrationFile[]> {
  const files: MigrationFile[] = [];
  for (const name of names) {
    const groups = fileName.exec(name)?.groups;
    const path = join(folder, name);
    try {
      files.push(
        await parseMigrationFile({
          path,
          name,
          migration: groups?.["name"] ?? name,
          direction: groups?.["direction"] === "down" ? "down" : "up",
          text: await readFile(path, "utf8"),
        }),
      );
    } catch (error) {
      if (!(error instanceof ParseProblem)) throw error;
      problems.push(error.message);
    }
  }
  return files;
}
