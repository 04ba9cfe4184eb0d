import type { CheckDefinition } from "../board.ts";
import type { MigrationFile, Statement } from "../source/statement.ts";

/** What a rule may know besides the statement. */
export interface LintContext {
  readonly file: MigrationFile;
  /** Tables and materialized views that this file makes itself: nobody uses them yet. */
  readonly newTables: ReadonlySet<string>;
  /** Whether a lock_timeout is in force at the statement. */
  readonly hasLockTimeout: boolean;
  /** Whether the file's own BEGIN is open at the statement. */
  readonly inBlock: boolean;
  /** Enum values that earlier statements of the same transaction added. */
  readonly newEnumValues: ReadonlySet<string>;
}

/** A statement known to be dangerous, and the safe way to write it. */
export interface LintRule extends Omit<CheckDefinition, "id"> {
  /** Becomes `edge-cases.lint-<name>`. */
  readonly name: string;
  /** Says what is wrong with the statement, each finding with what it concerns; nothing when it is fine. */
  readonly find: (statement: Statement, context: LintContext) => readonly string[];
}
