import type { Node } from "libpg-query";
import { parseSql } from "../source/parser.ts";
import { eachNode } from "../source/scope.ts";
import type { Direction, MigrationFile, Statement } from "../source/statement.ts";
import { whyNotInTransaction } from "../source/transaction.ts";

type Parsed = Omit<Statement, "index" | "line">;

/** The statements of a text that a tool sent; one that is no SQL is the server's to refuse. */
export async function parseQuery(sql: string): Promise<Parsed[]> {
  const bytes = Buffer.from(sql, "utf8");
  const unparsed: Parsed = { sql, kind: "unparsed", node: { String: { sval: sql } } };
  const parsed = await parseSql(sql).catch(() => undefined);
  if (parsed === undefined) return [unparsed];
  return (parsed.stmts ?? []).flatMap(({ stmt, stmt_location: start = 0, stmt_len: length }): Parsed[] => {
    if (stmt === undefined) return [];
    const end = length === undefined || length === 0 ? bytes.length : start + length;
    return [{ sql: bytes.subarray(start, end).toString("utf8").trim(), kind: Object.keys(stmt)[0] ?? "", node: stmt }];
  });
}

/** What only looks at tables, as tools do all the time: no part of the migration. A function called by itself may do anything. */
export function onlyReads({ kind, node }: Pick<Statement, "kind" | "node">): boolean {
  if (kind === "VariableShowStmt") return true;
  if (!("SelectStmt" in node)) return false;
  let writes = false;
  eachNode(node, (inner) => {
    writes ||= /^(?:Insert|Update|Delete|Merge)Stmt$/.test(inner) || inner === "LockingClause";
  });
  return !writes && !(isCall(node) && !/version|current_|information|advisory|set_config|backend_pid/i.test(JSON.stringify(node)));
}

function isCall(node: Node): boolean {
  return "SelectStmt" in node && node.SelectStmt.fromClause === undefined && JSON.stringify(node.SelectStmt.targetList ?? []).includes('"FuncCall"');
}

/** A file of what a tool was seen to send. A statement's place in it stands for its line. */
export function fileOfStatements(name: string, direction: Direction, path: string, statements: readonly Statement[]): MigrationFile {
  const why = statements.map((statement) => whyNotInTransaction(statement)).find((reason) => reason !== undefined);
  return { path, name: `${name} ${direction}`, direction, migration: name, statements, withoutTransaction: `the tool begins and ends its transactions itself${why === undefined ? "" : ` (${why})`}` };
}
