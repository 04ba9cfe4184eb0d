import { columnConstraints, tableCommands } from "./parts.ts";
import type { LintRule } from "./rule.ts";

/** The rules about constraints: how they come to hold without stopping anybody. */
export const constraintRules: readonly LintRule[] = [
  {
    name: "constraint-without-not-valid",
    title: "Foreign keys and checks are added NOT VALID first",
    remedy: "ADD CONSTRAINT … NOT VALID in one transaction, VALIDATE CONSTRAINT in the next.",
    find: (statement, { newTables }) =>
      tableCommands(statement).flatMap(({ table, command, constraint, column }) => {
        if (newTables.has(table)) return [];
        const kinds: Readonly<Record<string, string>> = { CONSTR_FOREIGN: "foreign key", CONSTR_CHECK: "check" };
        const kind = kinds[constraint?.contype ?? ""];
        if (command.subtype === "AT_AddConstraint" && kind !== undefined && constraint?.skip_validation !== true) return [`${kind} ${constraint?.conname ?? ""} on ${table}: every row is read while writers wait`];
        const added = command.subtype === "AT_AddColumn" ? columnConstraints(column) : [];
        if (added.some(({ contype }) => contype === "CONSTR_CHECK")) return [`check on ${table}.${column?.colname ?? ""}, written with the column: every row is read under ACCESS EXCLUSIVE`];
        const references = added.some(({ contype }) => contype === "CONSTR_FOREIGN");
        return references && added.some(({ contype }) => contype === "CONSTR_DEFAULT") ? [`foreign key on ${table}.${column?.colname ?? ""} with a default: every row is read while writers wait`] : [];
      }),
  },
  {
    name: "validated-in-same-transaction",
    title: "A constraint is validated in a transaction of its own",
    severity: "warning",
    remedy: "Put VALIDATE CONSTRAINT into the next file: here the lock of ADD CONSTRAINT is still held while it reads.",
    find: (statement, { file, newTables }) =>
      tableCommands(statement).flatMap(({ table, command }) => {
        if (command.subtype !== "AT_ValidateConstraint" || file.withoutTransaction !== undefined || newTables.has(table)) return [];
        const added = file.statements.some((other) => other.index <= statement.index && tableCommands(other).some((one) => one.constraint?.conname === command.name && one.table === table));
        return added ? [`${command.name ?? ""} on ${table}`] : [];
      }),
  },
  {
    name: "unique-constraint-without-index",
    title: "Unique and primary keys use an index built beforehand",
    remedy: "CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … USING INDEX. An exclusion constraint knows no such way: add it while the table is small, or move to a new table.",
    find: (statement, { newTables }) =>
      tableCommands(statement).flatMap(({ table, command, constraint, column }) => {
        const keys = ["CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_EXCLUSION"];
        const added = command.subtype === "AT_AddConstraint" ? [constraint] : command.subtype === "AT_AddColumn" ? columnConstraints(column) : [];
        const builds = added.find((one) => keys.includes(one?.contype ?? "") && one?.indexname === undefined);
        return builds === undefined || newTables.has(table) ? [] : [`${builds.conname ?? column?.colname ?? "a key"} on ${table}: its index is built under ACCESS EXCLUSIVE`];
      }),
  },
  {
    name: "domain-constraint",
    title: "Constraints of domains are added NOT VALID first",
    remedy: "ALTER DOMAIN … ADD CONSTRAINT … NOT VALID, then VALIDATE CONSTRAINT: else every table with a column of the domain is read while writers wait.",
    find: ({ node }) => {
      if (!("AlterDomainStmt" in node) || node.AlterDomainStmt.subtype !== "C") return [];
      const { def } = node.AlterDomainStmt;
      const constraint = def !== undefined && "Constraint" in def ? def.Constraint : undefined;
      return constraint?.skip_validation === true ? [] : [`${constraint?.conname ?? "a constraint"}: every table that uses the domain is read under a lock`];
    },
  },
];
