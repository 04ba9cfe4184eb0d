import type { CheckDefinition } from "../board.ts";
import type { MigrationFile, Statement } from "../source/statement.ts";

/** What a rule may know besides the statement. */
export interface LintContext {
  readonly file: MigrationFile;
  /** Tables that this file makes itself: nobody uses them yet. */
  readonly newTables: ReadonlySet<string>;
  /** Whether a lock_timeout is in force at the statement. */
  readonly hasLockTimeout: boolean;
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
