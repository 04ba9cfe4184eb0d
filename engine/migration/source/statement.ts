import type { Node } from "libpg-query";
import type { Client } from "pg";
import type { MigrationTool } from "../tool/command.ts";

/** One statement of a migration file, as PostgreSQL's own parser sees it. */
export interface Statement {
  /** Position in the file, from 0. */
  readonly index: number;
  /** Line of its first token, from 1. */
  readonly line: number;
  /** Its text, without the closing semicolon. */
  readonly sql: string;
  /** The parser's name for it: `AlterTableStmt`, `UpdateStmt`. */
  readonly kind: string;
  readonly node: Node;
}

export type Direction = "up" | "down";

/** One direction of one migration. */
export interface MigrationFile {
  /** Absolute path. */
  readonly path: string;
  /** File name, for messages. */
  readonly name: string;
  readonly direction: Direction;
  /** The migration's name: `0001_learner_to_customer`. */
  readonly migration: string;
  readonly statements: readonly Statement[];
  /** Why the file does not run in one transaction; undefined when it does. */
  readonly withoutTransaction: string | undefined;
  /** What runs it, where that is not we: the statements are those that the tool was seen to send. */
  readonly tool?: { readonly tool: MigrationTool; /** Migrations that were pending at first. */ readonly count: number };
}

export interface Migration {
  readonly name: string;
  readonly up: MigrationFile;
  /** Undefined when there is no way back. */
  readonly down: MigrationFile | undefined;
  /** Whether staging has it already, where its tool notes that down; undefined: by the workload's `appliedWhen`. */
  readonly stateOn?: (client: Client) => Promise<MigrationState>;
}

export type MigrationState = "applied" | "pending" | "not declared" | { readonly problem: string };

/** `0001_add_column.up.sql:12`. */
export function placeOf(file: MigrationFile, statement: Statement): string {
  return `${file.name}:${statement.line}`;
}

/** The statement's first words on one line, at most `most` characters. */
export function summaryOf(statement: Pick<Statement, "sql">, most = 72): string {
  const line = statement.sql.replaceAll(/--[^\n]*/g, " ").replaceAll(/\s+/g, " ").trim();
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}
