import { relationName } from "../source/scope.ts";
import { longNames, tableCommands } from "./parts.ts";
import type { LintRule } from "./rule.ts";

const moving = ["AT_SetLogged", "AT_SetUnLogged", "AT_SetTableSpace", "AT_SetAccessMethod"];

/** The rules about whole tables, their partitions, names and storage. */
export const tableRules: readonly LintRule[] = [
  {
    name: "rename-in-use",
    title: "What is in use keeps its name: schemas, tables, views, columns, enum values",
    remedy: "Add the new name beside the old one (a column kept in step, a view, a second enum value), move the application, then drop the old one.",
    find: ({ node }, { newTables }) => {
      if ("AlterEnumStmt" in node) {
        const { oldVal, newVal } = node.AlterEnumStmt;
        return oldVal === undefined ? [] : [`'${oldVal}' becomes '${newVal ?? ""}': running versions still write and compare the old value`];
      }
      if (!("RenameStmt" in node)) return [];
      const { renameType, relation, subname, newname } = node.RenameStmt;
      const table = relationName(relation);
      if (!["OBJECT_TABLE", "OBJECT_COLUMN", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SCHEMA"].includes(renameType ?? "") || newTables.has(table ?? "")) return [];
      return [`${[table, subname].filter((part) => part !== undefined).join(".")} becomes ${newname ?? ""}: running versions still ask for the old name`];
    },
  },
  {
    name: "drop-table",
    title: "No table is dropped",
    severity: "warning",
    remedy: "Rename it first, drop it when nobody has missed it; a rollback cannot bring its rows back.",
    find: ({ node }) => ("DropStmt" in node && node.DropStmt.removeType === "OBJECT_TABLE" ? ["DROP TABLE takes its rows with it"] : []),
  },
  {
    name: "drop-cascade",
    title: "No DROP … CASCADE",
    severity: "warning",
    remedy: "Drop by name what hangs on it, so that a reader of the file, and the rollback, know what goes.",
    find: (statement) => {
      const { node } = statement;
      const whole = "DropStmt" in node && node.DropStmt.behavior === "DROP_CASCADE";
      const part = tableCommands(statement).some(({ command }) => String(command.subtype).startsWith("AT_Drop") && command.behavior === "DROP_CASCADE");
      return whole || part ? ["CASCADE takes views, keys and defaults along that no line names"] : [];
    },
  },
  {
    name: "truncate",
    title: "No table is emptied",
    severity: "warning",
    remedy: "Delete what must go, in batches, with a WHERE.",
    find: ({ node }) => ("TruncateStmt" in node ? [node.TruncateStmt.behavior === "DROP_CASCADE" ? "TRUNCATE … CASCADE empties the tables that point here, too" : "TRUNCATE empties it under ACCESS EXCLUSIVE"] : []),
  },
  {
    name: "vacuum-full",
    title: "No VACUUM FULL, no CLUSTER",
    remedy: "Use pg_repack, or let autovacuum do it.",
    find: ({ node, kind, sql }) => (kind === "ClusterStmt" || ("VacuumStmt" in node && /\bfull\b/i.test(sql)) ? ["writes the table anew under ACCESS EXCLUSIVE"] : []),
  },
  {
    name: "storage-rewrite",
    title: "No table in use is moved or made logged or unlogged",
    remedy: "Make a new table, copy in batches with a trigger that keeps it in step, then swap names in a short transaction.",
    find: (statement, { newTables }) =>
      tableCommands(statement).flatMap(({ table, command }) => (moving.includes(command.subtype ?? "") && !newTables.has(table) ? [`${table} is written anew under ACCESS EXCLUSIVE`] : [])),
  },
  {
    name: "attach-partition",
    title: "A partition is attached with a validated CHECK on its bounds",
    severity: "warning",
    remedy: "Before ATTACH PARTITION: ADD CONSTRAINT … CHECK (bounds) NOT VALID, VALIDATE it in a transaction of its own; drop it afterwards. A default partition needs one, too.",
    find: (statement, { newTables, file }) =>
      tableCommands(statement).flatMap(({ table, command, partition }) => {
        if (command.subtype !== "AT_AttachPartition" || newTables.has(partition ?? "")) return [];
        const checked = file.statements.some((other) => other.index < statement.index && tableCommands(other).some((one) => one.table === partition && one.command.subtype === "AT_ValidateConstraint"));
        return checked ? [] : [`${partition ?? "the partition"} is read from end to end under ACCESS EXCLUSIVE, unless a CHECK already says what its bounds in ${table} say`];
      }),
  },
  {
    name: "detach-without-concurrently",
    title: "Partitions are detached CONCURRENTLY",
    severity: "warning",
    remedy: "ALTER TABLE … DETACH PARTITION … CONCURRENTLY, outside a transaction (PostgreSQL 14 and later).",
    find: (statement, { newTables }) =>
      tableCommands(statement).flatMap(({ table, command, partition, concurrent }) =>
        command.subtype === "AT_DetachPartition" && !concurrent && !newTables.has(table) ? [`detaching ${partition ?? "a partition"} stops readers and writers of all of ${table}`] : [],
      ),
  },
  {
    name: "refresh-without-concurrently",
    title: "Materialized views are refreshed CONCURRENTLY",
    severity: "warning",
    remedy: "REFRESH MATERIALIZED VIEW CONCURRENTLY …; it needs a unique index over all rows.",
    find: ({ node }, { newTables }) => {
      if (!("RefreshMatViewStmt" in node) || node.RefreshMatViewStmt.concurrent === true) return [];
      const view = relationName(node.RefreshMatViewStmt.relation) ?? "";
      return newTables.has(view) ? [] : [`nobody can read ${view} while it is filled`];
    },
  },
  {
    name: "long-name",
    title: "No name is longer than PostgreSQL keeps",
    remedy: "Choose a name of at most 63 bytes: the rest is cut without a word, and two long names become one.",
    find: ({ sql }) => longNames(sql).map((name) => `${name} has ${Buffer.byteLength(name)} bytes`),
  },
];
