import { parseMigrationFile } from "../../../engine/migration/source/parse.ts";
import type { MigrationFile } from "../../../engine/migration/source/statement.ts";

/** Parses SQL as the up file of a migration `0001_case`. */
export function up(text: string): Promise<MigrationFile> {
  return parseMigrationFile({ path: "/m/0001_case.up.sql", name: "0001_case.up.sql", migration: "0001_case", direction: "up", text });
}
