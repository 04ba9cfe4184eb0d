import { noneOf } from "../board.ts";
import type { CheckDefinition, Outcome } from "../board.ts";
import { relationName } from "../source/scope.ts";
import { placeOf, summaryOf } from "../source/statement.ts";
import type { MigrationFile } from "../source/statement.ts";
import { isTransactionControl, opensTransaction } from "../source/transaction.ts";
import type { LintContext, LintRule } from "./rule.ts";
import { lintRules } from "./rules.ts";

export interface LintFinding {
  readonly rule: LintRule;
  readonly place: string;
  readonly statement: string;
  readonly what: string;
}

/**
 * Holds every statement of a file against the known dangerous ones.
 * @param session.hasLockTimeout whether the session that runs it has a lock_timeout from the start; default false
 */
export function lintFile(file: MigrationFile, session: { readonly hasLockTimeout: boolean } = { hasLockTimeout: false }): LintFinding[] {
  const newTables = new Set<string>();
  let newEnumValues = new Set<string>();
  let { hasLockTimeout } = session;
  let inBlock = false;
  const findings: LintFinding[] = [];
  for (const statement of file.statements) {
    const { node } = statement;
    if (opensTransaction(statement)) newEnumValues = new Set();
    if ("VariableSetStmt" in node && node.VariableSetStmt.name === "lock_timeout") hasLockTimeout = !/(?:=|\bto)\s*(?:'?0\s*[a-z]*'?|default)$/i.test(statement.sql);
    if (isTransactionControl(statement)) inBlock = opensTransaction(statement);
    const context: LintContext = { file, newTables, hasLockTimeout, inBlock, newEnumValues: file.withoutTransaction === undefined ? newEnumValues : new Set() };
    for (const rule of lintRules) {
      for (const what of rule.find(statement, context)) findings.push({ rule, place: placeOf(file, statement), statement: summaryOf(statement), what });
    }
    if ("CreateStmt" in node) newTables.add(relationName(node.CreateStmt.relation) ?? "");
    if ("CreateTableAsStmt" in node) newTables.add(relationName(node.CreateTableAsStmt.into?.rel) ?? "");
    if ("AlterEnumStmt" in node && node.AlterEnumStmt.newVal !== undefined && node.AlterEnumStmt.oldVal === undefined) newEnumValues.add(node.AlterEnumStmt.newVal);
  }
  return findings;
}

/** Rules as checks. */
export const lintDefinitions: readonly (CheckDefinition & { readonly rule: LintRule })[] = lintRules.map((rule) => ({
  id: `edge-cases.lint-${rule.name}`,
  title: rule.title,
  severity: rule.severity,
  remedy: rule.remedy,
  rule,
}));

/** A rule's verdict on a file's findings. */
export function lintOutcome(rule: LintRule, findings: readonly LintFinding[], statements: number): Outcome {
  const own = findings.filter((finding) => finding.rule === rule);
  return noneOf(own.map(({ place, what }) => `${place}: ${what}`), `${statements} statements, none of it.`);
}
