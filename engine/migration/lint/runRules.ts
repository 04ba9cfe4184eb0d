import { eachNode, relationName } from "../source/scope.ts";
import { isTransactionControl, opensTransaction, standsAlone } from "../source/transaction.ts";
import { readsClock, strongLockOf, tableCommands } from "./parts.ts";
import type { LintRule } from "./rule.ts";

/** The rules about rows, locks and transactions. */
export const runRules: readonly LintRule[] = [
  {
    name: "update-without-where",
    title: "No UPDATE or DELETE without WHERE",
    severity: "warning",
    remedy: "Name the rows that are meant, in batches.",
    find: ({ node }, { newTables }) => {
      const change = "UpdateStmt" in node ? node.UpdateStmt : "DeleteStmt" in node ? node.DeleteStmt : undefined;
      const table = relationName(change?.relation) ?? "";
      return change === undefined || change.whereClause !== undefined || newTables.has(table) ? [] : [`every row of ${table}, in one transaction`];
    },
  },
  {
    name: "clock-decides",
    title: "Which rows change does not depend on the moment it runs",
    severity: "warning",
    remedy: "Write the boundary out, as in `created_at < timestamptz '2026-01-01 00:00+00'`: what was rehearsed today is else not what runs tomorrow.",
    find: ({ node }) => {
      let decided = false;
      const look = (_: string, fields: Readonly<Record<string, unknown>>): void => {
        if (readsClock(fields["whereClause"])) decided = true;
      };
      eachNode(node, (kind, fields) => {
        if (["UpdateStmt", "DeleteStmt"].includes(kind)) look(kind, fields);
        if (["UpdateStmt", "DeleteStmt", "InsertStmt"].includes(kind)) eachNode(fields, look);
      });
      return decided ? ["its WHERE reads the clock"] : [];
    },
  },
  {
    name: "triggers-off",
    title: "Triggers and foreign keys stay on",
    severity: "warning",
    remedy: "Write the statement so that its triggers may run. Where they must not: DISABLE, the change and ENABLE in one transaction, then look for orphans.",
    find: (statement, { newTables }) => {
      const { node, sql } = statement;
      if ("VariableSetStmt" in node && node.VariableSetStmt.name === "session_replication_role" && /(?:=|\bto)\s*'?replica\b/i.test(sql)) return ["session_replication_role = replica: no foreign key is checked from here on"];
      return tableCommands(statement).flatMap(({ table, command }) => (String(command.subtype).startsWith("AT_DisableTrig") && !newTables.has(table) ? [`${command.name ?? "triggers"} of ${table} off: what it keeps in step for everybody is not, until it is on again`] : []));
    },
  },
  {
    name: "lock-table",
    title: "No LOCK TABLE",
    severity: "warning",
    remedy: "Let each statement take the lock it needs; with lock_timeout set.",
    find: ({ node }) => ("LockStmt" in node ? ["LOCK TABLE holds its lock to the end of the transaction"] : []),
  },
  {
    name: "missing-lock-timeout",
    title: "A lock_timeout is set before strong locks are asked for",
    severity: "warning",
    remedy: "SET lock_timeout = '500ms' (SET LOCAL in a transaction) as the first statement.",
    find: (statement, { hasLockTimeout, newTables, file }) => {
      if (hasLockTimeout || file.statements.slice(0, statement.index).some((other) => strongLockOf(other, newTables) !== undefined)) return [];
      const what = strongLockOf(statement, newTables);
      return what === undefined ? [] : [`${what} waits without limit, and everybody behind it`];
    },
  },
  {
    name: "enum-value-in-own-transaction",
    title: "A new enum value is not used in the transaction that adds it",
    remedy: "Add the value in one file, use it in the next: PostgreSQL refuses a value that is not committed.",
    find: (statement, { newEnumValues }) => {
      if ("AlterEnumStmt" in statement.node || newEnumValues.size === 0) return [];
      const used = [...newEnumValues].filter((value) => statement.sql.includes(`'${value.replaceAll("'", "''")}'`));
      return used.map((value) => `'${value}' is used before it is committed`);
    },
  },
  {
    name: "concurrently-in-transaction",
    title: "CONCURRENTLY stands outside BEGIN and COMMIT",
    remedy: "Put it into a file of its own that does not run in a transaction; say so to the tool (Django: atomic = False; Rails: disable_ddl_transaction!).",
    find: (statement, { inBlock }) => (inBlock && standsAlone(statement) !== undefined ? [`${standsAlone(statement) ?? ""} is refused in a transaction`] : []),
  },
  {
    name: "transaction-left-open",
    title: "Every BEGIN has its COMMIT",
    remedy: "Add the COMMIT: without it the server takes everything since the BEGIN back when the session ends.",
    find: (statement, { file }) => {
      if (!opensTransaction(statement)) return [];
      const ended = file.statements.some((other) => other.index > statement.index && isTransactionControl(other) && !opensTransaction(other));
      return ended ? [] : ["BEGIN without COMMIT: nothing of it stays"];
    },
  },
];
