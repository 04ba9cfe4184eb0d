import type { AlterTableCmd, ColumnDef, Constraint, Node } from "libpg-query";
import { eachNode, relationName } from "../source/scope.ts";
import type { Statement } from "../source/statement.ts";

export interface TableCommand {
  readonly table: string;
  readonly command: AlterTableCmd;
  /** What the command adds or sets, where that is a column or a constraint. */
  readonly column: ColumnDef | undefined;
  readonly constraint: Constraint | undefined;
  /** The partition that it attaches or detaches. */
  readonly partition: string | undefined;
  readonly concurrent: boolean;
}

/** The single commands of an ALTER TABLE; none for any other statement. */
export function tableCommands({ node }: Statement): TableCommand[] {
  if (!("AlterTableStmt" in node) || (node.AlterTableStmt.objtype ?? "OBJECT_TABLE") !== "OBJECT_TABLE") return [];
  const table = relationName(node.AlterTableStmt.relation) ?? "";
  return (node.AlterTableStmt.cmds ?? []).flatMap((entry): TableCommand[] => {
    if (!("AlterTableCmd" in entry)) return [];
    const command = entry.AlterTableCmd;
    const { def } = command;
    const partition = def !== undefined && "PartitionCmd" in def ? def.PartitionCmd : undefined;
    return [
      {
        table,
        command,
        column: def !== undefined && "ColumnDef" in def ? def.ColumnDef : undefined,
        constraint: def !== undefined && "Constraint" in def ? def.Constraint : undefined,
        partition: relationName(partition?.name),
        concurrent: partition?.concurrent === true,
      },
    ];
  });
}

/** Constraints written with a column. */
export function columnConstraints(column: ColumnDef | undefined): Constraint[] {
  return (column?.constraints ?? []).flatMap((entry) => ("Constraint" in entry ? [entry.Constraint] : []));
}

/** `int4`, `varchar`, `json`: the type's last name. */
export function typeName(column: ColumnDef | undefined): string {
  const last = column?.typeName?.names?.at(-1);
  return last !== undefined && "String" in last ? (last.String.sval ?? "") : "";
}

/** Functions called anywhere in an expression. */
export function calledFunctions(expression: Node | undefined): string[] {
  return [...JSON.stringify(expression ?? {}).matchAll(/"FuncCall":\{"funcname":\[(.*?)\]/g)].flatMap(([, names]) => [...(names ?? "").matchAll(/"sval":"([^"]+)"/g)].map(([, name]) => name ?? "").slice(-1));
}

const clockFunctions = ["now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday", "age"];

/** Whether an expression asks what time it is. */
export function readsClock(expression: unknown): boolean {
  let reads = false;
  eachNode(expression, (kind, fields) => {
    const time = kind === "SQLValueFunction" && /CURRENT_(?:DATE|TIME)|LOCALTIME/.test(String(fields["op"]));
    const called = kind === "FuncCall" ? JSON.stringify(fields["funcname"]) : "";
    const isBetweenTwo = called.includes('"age"') && (fields["args"] as readonly unknown[] | undefined)?.length !== 1;
    if (time || (!isBetweenTwo && clockFunctions.some((name) => called.includes(`"sval":"${name}"`)))) reads = true;
  });
  return reads;
}

/** What in a statement asks for a lock that stops others on a table in use; undefined for a statement that asks for none. */
export function strongLockOf(statement: Statement, newTables: ReadonlySet<string>): string | undefined {
  const { node } = statement;
  const inUse = (table: string | undefined) => table !== undefined && !newTables.has(table);
  const altered = tableCommands(statement).map(({ table }) => table).find(inUse);
  if (altered !== undefined) return `ALTER TABLE ${altered}`;
  if ("IndexStmt" in node && node.IndexStmt.concurrent !== true && inUse(relationName(node.IndexStmt.relation))) return `CREATE INDEX on ${relationName(node.IndexStmt.relation) ?? ""}`;
  if ("CreateTrigStmt" in node && inUse(relationName(node.CreateTrigStmt.relation))) return `CREATE TRIGGER on ${relationName(node.CreateTrigStmt.relation) ?? ""}`;
  if ("RenameStmt" in node && ["OBJECT_TABLE", "OBJECT_COLUMN"].includes(node.RenameStmt.renameType ?? "") && inUse(relationName(node.RenameStmt.relation))) return `RENAME on ${relationName(node.RenameStmt.relation) ?? ""}`;
  if ("DropStmt" in node && node.DropStmt.removeType === "OBJECT_TABLE") return "DROP TABLE";
  return "TruncateStmt" in node ? "TRUNCATE" : undefined;
}

const mostNameBytes = 63;

/** Names in a statement's text that PostgreSQL would cut; its parser has cut them already. */
export function longNames(sql: string): string[] {
  const bare = sql.replaceAll(/--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|\$([A-Za-z_]*)\$[\s\S]*?\$\1\$/g, " ");
  const names = [...bare.matchAll(/"((?:[^"]|"")+)"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/g)].map(([word, quoted]) => quoted?.replaceAll('""', '"') ?? word);
  return [...new Set(names)].filter((name) => Buffer.byteLength(name) > mostNameBytes);
}
