import type { AlterTableCmd, ColumnDef, Constraint, Node } from "libpg-query";
import { relationName } from "../source/scope.ts";
import type { Statement } from "../source/statement.ts";

export interface TableCommand {
  readonly table: string;
  readonly command: AlterTableCmd;
  /** What the command adds or sets, where that is a column or a constraint. */
  readonly column: ColumnDef | undefined;
  readonly constraint: Constraint | undefined;
}

/** The single commands of an ALTER TABLE; none for any other statement. */
export function tableCommands({ node }: Statement): TableCommand[] {
  if (!("AlterTableStmt" in node) || (node.AlterTableStmt.objtype ?? "OBJECT_TABLE") !== "OBJECT_TABLE") return [];
  const table = relationName(node.AlterTableStmt.relation) ?? "";
  return (node.AlterTableStmt.cmds ?? []).flatMap((entry): TableCommand[] => {
    if (!("AlterTableCmd" in entry)) return [];
    const command = entry.AlterTableCmd;
    const { def } = command;
    return [
      {
        table,
        command,
        column: def !== undefined && "ColumnDef" in def ? def.ColumnDef : undefined,
        constraint: def !== undefined && "Constraint" in def ? def.Constraint : undefined,
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
