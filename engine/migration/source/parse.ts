import { hasSqlDetails } from "libpg-query";
import type { Node } from "libpg-query";
import { messageOf } from "../../errors.ts";
import type { Direction, MigrationFile, Statement } from "./statement.ts";
import { parseSql } from "./parser.ts";
import { isTransactionControl, opensTransaction, standsAlone, whyNotInTransaction } from "./transaction.ts";

export interface SqlText {
  readonly path: string;
  readonly name: string;
  readonly migration: string;
  readonly direction: Direction;
  readonly text: string;
}

/** What is wrong with a file, in one line that names the file and the line. */
export class ParseProblem extends Error {}

const directive = /^--\s*understudy:\s*(\S.*?)\s*$/;
const leadingComments = /^(?:\s*--[^\n]*(?:\n|$))*/;

/**
 * Parses one migration file with PostgreSQL's own parser.
 * @throws ParseProblem for text that is not SQL, psql's meta commands, COPY from the client, statements that reach beyond the
 *   clone, an unknown directive.
 */
export async function parseMigrationFile(source: SqlText): Promise<MigrationFile> {
  const bytes = Buffer.from(source.text, "utf8");
  const statements = withoutOuterTransaction(await parseStatements(source, bytes));
  const { noTransaction } = directivesOf(source);
  const forced = statements.map((statement) => whyNotInTransaction(statement)).find((why) => why !== undefined);
  return {
    path: source.path,
    name: source.name,
    direction: source.direction,
    migration: source.migration,
    statements,
    withoutTransaction: noTransaction ? "the file says `-- understudy: no-transaction`" : forced,
  };
}

async function parseStatements(source: SqlText, bytes: Buffer): Promise<Statement[]> {
  const parsed = await parseText(source);
  return parsed.map(({ stmt, stmt_location: start = 0, stmt_len: length }, index) => {
    const end = length === undefined || length === 0 ? bytes.length : start + length;
    const raw = bytes.subarray(start, end).toString("utf8");
    const sql = raw.slice(lengthOfSpace(raw)).trimEnd();
    const line = lineAt(bytes, start + Buffer.byteLength(raw.slice(0, lengthOfSpace(raw))));
    const kind = Object.keys(stmt ?? {})[0];
    if (stmt === undefined || kind === undefined) throw new ParseProblem(`${source.name}:${line}: an empty statement`);
    refuse(source, kind, stmt, line);
    return { index, line, sql, kind, node: stmt };
  });
}

/** A BEGIN at the very top and a COMMIT at the very end, as some tools write them, say no more than that the file is one transaction. */
function withoutOuterTransaction(statements: readonly Statement[]): readonly Statement[] {
  const [first, last] = [statements[0], statements.at(-1)];
  if (first === undefined || last === undefined || !opensTransaction(first) || !/^(?:begin|start)(?:\s+(?:work|transaction))?$/i.test(first.sql)) return statements;
  const inner = statements.slice(1, -1);
  const ends = "TransactionStmt" in last.node && last.node.TransactionStmt.kind === "TRANS_STMT_COMMIT";
  const refused = inner.some((statement) => isTransactionControl(statement) || standsAlone(statement) !== undefined);
  return ends && !refused ? inner.map((statement, index) => ({ ...statement, index })) : statements;
}

interface RawStatement {
  readonly stmt?: Node;
  readonly stmt_location?: number;
  readonly stmt_len?: number;
}

async function parseText(source: SqlText): Promise<readonly RawStatement[]> {
  try {
    return (await parseSql(source.text)).stmts ?? [];
  } catch (error) {
    const position = hasSqlDetails(error) ? (error.sqlDetails?.cursorPosition ?? 0) : 0;
    const line = source.text.slice(0, position).split("\n").length;
    if (source.text.slice(position).startsWith("\\")) {
      const command = source.text.slice(position).split(/\s/, 1)[0];
      throw new ParseProblem(`${source.name}:${line}: ${command} is a command of psql, not SQL; write its SQL instead`);
    }
    throw new ParseProblem(`${source.name}:${line}: ${messageOf(error)}`);
  }
}

/** Statements on databases and on the server itself: they would reach staging, whichever clone they run on. */
const beyondTheClone = /^(?:Createdb|Dropdb|AlterDatabase|AlterDatabaseSet|AlterDatabaseRefreshColl|AlterSystem|CreateTableSpace|DropTableSpace|AlterTableSpaceOptions)Stmt$/;

function refuse(source: SqlText, kind: string, node: Node, line: number): void {
  if (reachesBeyondClone(kind, node)) {
    throw new ParseProblem(`${source.name}:${line}: a statement on a whole database or server reaches beyond the clone that is rehearsed on; it belongs to the set-up of the server`);
  }
  if (kind === "CopyStmt" && "CopyStmt" in node && node.CopyStmt.filename === undefined && node.CopyStmt.is_program !== true) {
    throw new ParseProblem(`${source.name}:${line}: COPY from or to the client cannot run in a migration; use INSERT`);
  }
}

export function reachesBeyondClone(kind: string, node: Node): boolean {
  return beyondTheClone.test(kind) || Object.values(node).some(isOfDatabase);
}

function isOfDatabase(fields: unknown): boolean {
  return typeof fields === "object" && fields !== null && ["objtype", "objectType", "renameType"].some((key) => (fields as Readonly<Record<string, unknown>>)[key] === "OBJECT_DATABASE");
}

/** Space and comments before the first token. */
function lengthOfSpace(text: string): number {
  return /^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/.exec(text)?.[0].length ?? 0;
}

function lineAt(bytes: Buffer, offset: number): number {
  let line = 1;
  for (let index = bytes.indexOf(10); index !== -1 && index < offset; index = bytes.indexOf(10, index + 1)) line += 1;
  return line;
}

function directivesOf(source: SqlText): { readonly noTransaction: boolean } {
  const lines = (leadingComments.exec(source.text)?.[0] ?? "").split("\n");
  const found = lines.flatMap((line) => directive.exec(line.trim())?.[1] ?? []);
  const unknown = found.find((name) => name !== "no-transaction");
  if (unknown !== undefined) throw new ParseProblem(`${source.name}: unknown directive "understudy: ${unknown}"; known: no-transaction`);
  return { noTransaction: found.length > 0 };
}
