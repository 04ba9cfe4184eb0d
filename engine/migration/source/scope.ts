import type { Node, RangeVar } from "libpg-query";
import type { Change } from "../expectations.ts";
import { writeName } from "../state/tables.ts";
import type { MigrationFile } from "./statement.ts";

/** `public."User"`, as the catalog queries name it. */
export function relationName(relation: RangeVar | undefined): string | undefined {
  if (relation?.relname === undefined) return undefined;
  return `${writeName(relation.schemaname ?? "public")}.${writeName(relation.relname)}`;
}

/**
 * What the statements of a file say they change: columns that an UPDATE sets, rows that an INSERT or DELETE moves.
 * What triggers, functions and DO blocks do is not in the text, so it counts as out of scope unless declared.
 */
export function derivedChanges(file: MigrationFile): Change[] {
  const changes = new Map<string, { columns: Set<string>; rows: Set<"insert" | "delete"> }>();
  const of = (relation: RangeVar | undefined) => {
    const name = relationName(relation) ?? "";
    const change = changes.get(name) ?? { columns: new Set(), rows: new Set() };
    changes.set(name, change);
    return change;
  };
  for (const { node } of file.statements) {
    eachNode(node, (kind, value) => {
      if (kind === "UpdateStmt") for (const column of targets(value["targetList"])) of(value["relation"] as RangeVar).columns.add(column);
      if (kind === "InsertStmt") {
        of(value["relation"] as RangeVar).rows.add("insert");
        const conflict = value["onConflictClause"] as { targetList?: unknown } | undefined;
        for (const column of targets(conflict?.targetList)) of(value["relation"] as RangeVar).columns.add(column);
      }
      if (kind === "DeleteStmt") of(value["relation"] as RangeVar).rows.add("delete");
      if (kind === "CopyStmt") of(value["relation"] as RangeVar).rows.add("insert");
      if (kind === "MergeStmt") for (const row of ["insert", "delete"] as const) of(value["relation"] as RangeVar).rows.add(row);
      if (kind === "TruncateStmt") {
        for (const entry of (value["relations"] ?? []) as Node[]) if ("RangeVar" in entry) of(entry.RangeVar).rows.add("delete");
      }
    });
  }
  return [...changes].map(([table, { columns, rows }]) => ({ table, columns: [...columns], rows: [...rows] }));
}

/** Every relation that the statements name, in whatever role. */
export function namedRelations(file: MigrationFile): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { node } of file.statements) {
    eachRelation(node, (relation) => names.add(relationName(relation) ?? ""));
  }
  names.delete("");
  return names;
}

/** Names, last part only, of what the statements drop or rename on purpose. */
export function droppedNames(file: MigrationFile): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { node } of file.statements) {
    eachNode(node, (kind, value) => {
      if (kind === "DropStmt") for (const text of strings(value["objects"])) names.add(text);
      if (kind === "AlterTableCmd" && String(value["subtype"]).startsWith("AT_Drop") && typeof value["name"] === "string") names.add(value["name"]);
      if (kind === "RenameStmt") {
        for (const field of ["subname", "newname"]) if (typeof value[field] === "string") names.add(value[field]);
        const relation = value["relation"] as RangeVar | undefined;
        if (value["subname"] === undefined && relation?.relname !== undefined) names.add(relation.relname);
      }
    });
  }
  return names;
}

type Fields = Readonly<Record<string, unknown>>;

/** Visits every node of a parse tree with its kind (`UpdateStmt`) and fields. */
export function eachNode(tree: unknown, visit: (kind: string, fields: Fields) => void): void {
  if (Array.isArray(tree)) for (const item of tree) eachNode(item, visit);
  else if (typeof tree === "object" && tree !== null) {
    for (const [key, value] of Object.entries(tree)) {
      if (/^[A-Z]/.test(key) && typeof value === "object" && value !== null && !Array.isArray(value)) visit(key, value as Fields);
      eachNode(value, visit);
    }
  }
}

function eachRelation(tree: unknown, visit: (relation: RangeVar) => void): void {
  if (Array.isArray(tree)) for (const item of tree) eachRelation(item, visit);
  else if (typeof tree === "object" && tree !== null) {
    if ("relname" in tree && typeof tree.relname === "string") visit(tree as RangeVar);
    for (const value of Object.values(tree)) eachRelation(value, visit);
  }
}

function targets(list: unknown): string[] {
  return ((list ?? []) as Node[]).flatMap((node) => ("ResTarget" in node && node.ResTarget.name !== undefined ? [node.ResTarget.name] : []));
}

function strings(tree: unknown): string[] {
  const found: string[] = [];
  eachNode(tree, (kind, fields) => {
    if (kind === "String" && typeof fields["sval"] === "string") found.push(fields["sval"]);
  });
  return found;
}
