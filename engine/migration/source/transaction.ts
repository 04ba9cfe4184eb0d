import type { Statement } from "./statement.ts";

/** Why a file that holds this statement cannot run as one transaction; undefined when it can. PostgreSQL 13 to 17. */
export function whyNotInTransaction(statement: Statement): string | undefined {
  const what = standsAlone(statement);
  if (what !== undefined) return `line ${statement.line}: ${what} cannot run in a transaction`;
  if (isTransactionControl(statement)) return `line ${statement.line}: the file begins and ends its transactions itself`;
  return undefined;
}

/** BEGIN, COMMIT, ROLLBACK; not SAVEPOINT and its kin. */
export function isTransactionControl({ node }: Statement): boolean {
  if (!("TransactionStmt" in node)) return false;
  const kind = node.TransactionStmt.kind ?? "";
  return ["TRANS_STMT_BEGIN", "TRANS_STMT_START", "TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK", "TRANS_STMT_PREPARE"].includes(kind);
}

/** What opens a transaction block, as opposed to what ends one. */
export function opensTransaction({ node }: Statement): boolean {
  return "TransactionStmt" in node && ["TRANS_STMT_BEGIN", "TRANS_STMT_START"].includes(node.TransactionStmt.kind ?? "");
}

/** The name of a command that PostgreSQL refuses inside a transaction block. */
export function standsAlone({ node }: Statement): string | undefined {
  if ("IndexStmt" in node) return node.IndexStmt.concurrent === true ? "CREATE INDEX CONCURRENTLY" : undefined;
  if ("DropStmt" in node) return node.DropStmt.concurrent === true ? "DROP INDEX CONCURRENTLY" : undefined;
  if ("VacuumStmt" in node) return node.VacuumStmt.is_vacuumcmd === true ? "VACUUM" : undefined;
  if ("ClusterStmt" in node) return node.ClusterStmt.relation === undefined ? "CLUSTER of all tables" : undefined;
  if ("AlterTableStmt" in node) return detachesConcurrently(node.AlterTableStmt.cmds) ? "DETACH PARTITION CONCURRENTLY" : undefined;
  if ("ReindexStmt" in node) {
    const whole = ["REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_SYSTEM", "REINDEX_OBJECT_DATABASE"].includes(node.ReindexStmt.kind ?? "");
    const concurrently = (node.ReindexStmt.params ?? []).some((param) => "DefElem" in param && param.DefElem.defname === "concurrently");
    return whole || concurrently ? "this REINDEX" : undefined;
  }
  return Object.keys(node).map((kind) => alone[kind]).find((name) => name !== undefined);
}

const alone: Readonly<Record<string, string>> = {
  CreatedbStmt: "CREATE DATABASE",
  DropdbStmt: "DROP DATABASE",
  AlterSystemStmt: "ALTER SYSTEM",
  CreateTableSpaceStmt: "CREATE TABLESPACE",
  DropTableSpaceStmt: "DROP TABLESPACE",
  CreateSubscriptionStmt: "CREATE SUBSCRIPTION",
  DropSubscriptionStmt: "DROP SUBSCRIPTION",
};

function detachesConcurrently(commands: readonly unknown[] | undefined): boolean {
  return JSON.stringify(commands ?? []).includes('"concurrent":true');
}
