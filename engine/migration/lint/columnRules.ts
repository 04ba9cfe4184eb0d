import { relationName } from "../source/scope.ts";
import { calledFunctions, columnConstraints, tableCommands, typeName } from "./parts.ts";
import type { LintRule } from "./rule.ts";

const randomFunctions = ["random", "gen_random_uuid", "uuid_generate_v4", "uuid_generate_v1", "clock_timestamp", "timeofday", "nextval"];

/** The rules about columns: what is added, changed and dropped. */
export const columnRules: readonly LintRule[] = [
  {
    name: "column-type-change",
    title: "Column types are not changed in place",
    severity: "warning",
    remedy: "Add a column of the new type, write both, fill it in batches, switch reads, drop the old one.",
    find: (statement, { newTables }) =>
      tableCommands(statement).flatMap(({ table, command, column }) => {
        const widens = ["text"].includes(typeName(column)) || (typeName(column) === "varchar" && (column?.typeName?.typmods ?? []).length === 0);
        return command.subtype === "AT_AlterColumnType" && !widens && !newTables.has(table) ? [`${table}.${command.name ?? ""}: most changes of type write the table anew under ACCESS EXCLUSIVE`] : [];
      }),
  },
  {
    name: "volatile-default",
    title: "New columns have no volatile default",
    remedy: "ADD COLUMN without default; SET DEFAULT for new rows; fill the old ones in batches.",
    find: (statement, { newTables }) =>
      tableCommands(statement).flatMap(({ table, command, column }) => {
        if (command.subtype !== "AT_AddColumn" || newTables.has(table)) return [];
        const volatileDefault = columnConstraints(column).some(({ contype, raw_expr: expression }) => contype === "CONSTR_DEFAULT" && calledFunctions(expression).some((name) => randomFunctions.includes(name)));
        const serial = /^(small|big)?serial\d?$/.test(typeName(column)) || columnConstraints(column).some(({ contype }) => contype === "CONSTR_IDENTITY" || contype === "CONSTR_GENERATED");
        return volatileDefault || serial ? [`${table}.${column?.colname ?? ""}: every row is written anew under ACCESS EXCLUSIVE`] : [];
      }),
  },
  {
    name: "not-null-without-default",
    title: "New NOT NULL columns have a default",
    remedy: "ADD COLUMN with a constant default; or nullable first, fill, then a validated CHECK (… IS NOT NULL), then SET NOT NULL.",
    find: (statement, { newTables }) =>
      tableCommands(statement).flatMap(({ table, command, column }) => {
        if (command.subtype !== "AT_AddColumn" || newTables.has(table)) return [];
        const kinds = columnConstraints(column).map(({ contype }) => contype);
        const filled = kinds.some((kind) => ["CONSTR_DEFAULT", "CONSTR_IDENTITY", "CONSTR_GENERATED"].includes(kind ?? "")) || /serial/.test(typeName(column));
        return (kinds.includes("CONSTR_NOTNULL") || kinds.includes("CONSTR_PRIMARY")) && !filled ? [`${table}.${column?.colname ?? ""}: fails as soon as the table has a row`] : [];
      }),
  },
  {
    name: "set-not-null",
    title: "SET NOT NULL follows a validated CHECK",
    severity: "warning",
    remedy: "ADD CONSTRAINT … CHECK (column IS NOT NULL) NOT VALID; VALIDATE CONSTRAINT; SET NOT NULL; drop the check.",
    find: (statement, { newTables, file }) =>
      tableCommands(statement).flatMap(({ table, command }) => {
        if (command.subtype !== "AT_SetNotNull" || newTables.has(table)) return [];
        const validated = file.statements.some((other) => other.index < statement.index && tableCommands(other).some((earlier) => earlier.table === table && earlier.command.subtype === "AT_ValidateConstraint"));
        return validated ? [] : [`${table}.${command.name ?? ""}: the whole table is read under ACCESS EXCLUSIVE`];
      }),
  },
  {
    name: "drop-not-null",
    title: "No column that was never NULL becomes nullable unseen",
    severity: "warning",
    remedy: "Let every running version deal with NULL first. The rollback needs a value for each NULL written since.",
    find: (statement, { newTables }) =>
      tableCommands(statement).flatMap(({ table, command }) => (command.subtype === "AT_DropNotNull" && !newTables.has(table) ? [`${table}.${command.name ?? ""} may be NULL from now on`] : [])),
  },
  {
    name: "drop-column",
    title: "No column is dropped",
    severity: "warning",
    remedy: "Stop using it in every running version first; the rollback must get its values from somewhere.",
    find: (statement, { newTables }) =>
      tableCommands(statement).flatMap(({ table, command }) => (command.subtype === "AT_DropColumn" && !newTables.has(table) ? [`${table}.${command.name ?? ""} and its values go`] : [])),
  },
  {
    name: "json-column",
    title: "New columns are jsonb, not json",
    severity: "warning",
    remedy: "Use jsonb: json has no equality, so DISTINCT and UNION over it fail.",
    find: (statement) => tableCommands(statement).flatMap(({ table, column, command }) => (command.subtype === "AT_AddColumn" && typeName(column) === "json" ? [`${table}.${column?.colname ?? ""} is json`] : [])),
  },
  {
    name: "narrow-integer-key",
    title: "New keys are bigint",
    severity: "warning",
    remedy: "Use bigint: an integer key ends at 2,147,483,647, and changing it later writes the table anew.",
    find: ({ node }) => {
      if (!("CreateStmt" in node)) return [];
      return (node.CreateStmt.tableElts ?? []).flatMap((entry) => {
        if (!("ColumnDef" in entry)) return [];
        const isKey = columnConstraints(entry.ColumnDef).some(({ contype }) => contype === "CONSTR_PRIMARY");
        return isKey && ["int4", "serial", "serial4", "int2", "smallserial"].includes(typeName(entry.ColumnDef)) ? [`${relationName(node.CreateStmt.relation) ?? ""}.${entry.ColumnDef.colname ?? ""}`] : [];
      });
    },
  },
];
