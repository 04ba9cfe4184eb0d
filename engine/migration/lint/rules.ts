import { relationName } from "../source/scope.ts";
import { calledFunctions, columnConstraints, tableCommands, typeName } from "./parts.ts";
import type { LintRule } from "./rule.ts";

const randomFunctions = ["random", "gen_random_uuid", "uuid_generate_v4", "uuid_generate_v1", "clock_timestamp", "timeofday", "nextval"];

/** The known dangerous statements, each with its safe rewrite as the remedy. Order is that of the report. */
export const lintRules: readonly LintRule[] = [
  {
    name: "index-without-concurrently",
    title: "Indexes on tables in use are built CONCURRENTLY",
    remedy: "CREATE INDEX CONCURRENTLY …, in a file of its own that does not run in a transaction.",
    find: ({ node }, { newTables }) => {
      if (!("IndexStmt" in node) || node.IndexStmt.concurrent === true) return [];
      const table = relationName(node.IndexStmt.relation) ?? "";
      return newTables.has(table) ? [] : [`index ${node.IndexStmt.idxname ?? "without a name"} on ${table} stops every write while it is built`];
    },
  },
  {
    name: "drop-index-without-concurrently",
    title: "Indexes are dropped CONCURRENTLY",
    severity: "warning",
    remedy: "DROP INDEX CONCURRENTLY …, outside a transaction.",
    find: ({ node }) =>
      "DropStmt" in node && node.DropStmt.removeType === "OBJECT_INDEX" && node.DropStmt.concurrent !== true ? ["DROP INDEX stops readers and writers of its table while it waits for them"] : [],
  },
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
    name: "constraint-without-not-valid",
    title: "Foreign keys and checks are added NOT VALID first",
    remedy: "ADD CONSTRAINT … NOT VALID in one transaction, VALIDATE CONSTRAINT in the next.",
    find: (statement, { newTables }) =>
      tableCommands(statement).flatMap(({ table, command, constraint, column }) => {
        if (newTables.has(table)) return [];
        const kinds: Readonly<Record<string, string>> = { CONSTR_FOREIGN: "foreign key", CONSTR_CHECK: "check" };
        const kind = kinds[constraint?.contype ?? ""];
        if (command.subtype === "AT_AddConstraint" && kind !== undefined && constraint?.skip_validation !== true) return [`${kind} ${constraint?.conname ?? ""} on ${table}: every row is read while writers wait`];
        const references = command.subtype === "AT_AddColumn" && columnConstraints(column).some(({ contype }) => contype === "CONSTR_FOREIGN");
        return references && columnConstraints(column).some(({ contype }) => contype === "CONSTR_DEFAULT") ? [`foreign key on ${table}.${column?.colname ?? ""} with a default: every row is read while writers wait`] : [];
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
    remedy: "CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … USING INDEX.",
    find: (statement, { newTables }) =>
      tableCommands(statement).flatMap(({ table, command, constraint }) =>
        command.subtype === "AT_AddConstraint" && ["CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_EXCLUSION"].includes(constraint?.contype ?? "") && constraint?.indexname === undefined && !newTables.has(table)
          ? [`${constraint?.conname ?? "a key"} on ${table}: its index is built under ACCESS EXCLUSIVE`]
          : [],
      ),
  },
  {
    name: "rename-in-use",
    title: "Tables and columns in use keep their names",
    remedy: "Add the new name beside the old one (a column kept in step, a view), move the application, then drop the old one.",
    find: ({ node }, { newTables }) => {
      if (!("RenameStmt" in node)) return [];
      const { renameType, relation, subname, newname } = node.RenameStmt;
      const table = relationName(relation) ?? "";
      if (!["OBJECT_TABLE", "OBJECT_COLUMN"].includes(renameType ?? "") || newTables.has(table)) return [];
      return [`${table}${subname === undefined ? "" : `.${subname}`} becomes ${newname ?? ""}: running versions still ask for the old name`];
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
    name: "drop-column",
    title: "No column is dropped",
    severity: "warning",
    remedy: "Stop using it in every running version first; the rollback must get its values from somewhere.",
    find: (statement, { newTables }) =>
      tableCommands(statement).flatMap(({ table, command }) => (command.subtype === "AT_DropColumn" && !newTables.has(table) ? [`${table}.${command.name ?? ""} and its values go`] : [])),
  },
  {
    name: "truncate",
    title: "No table is emptied",
    severity: "warning",
    remedy: "Delete what must go, in batches, with a WHERE.",
    find: ({ node }) => ("TruncateStmt" in node ? [node.TruncateStmt.behavior === "DROP_CASCADE" ? "TRUNCATE … CASCADE empties the tables that point here, too" : "TRUNCATE empties it under ACCESS EXCLUSIVE"] : []),
  },
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
    name: "lock-table",
    title: "No LOCK TABLE",
    severity: "warning",
    remedy: "Let each statement take the lock it needs; with lock_timeout set.",
    find: ({ node }) => ("LockStmt" in node ? ["LOCK TABLE holds its lock to the end of the transaction"] : []),
  },
  {
    name: "vacuum-full",
    title: "No VACUUM FULL, no CLUSTER",
    remedy: "Use pg_repack, or let autovacuum do it.",
    find: ({ node, kind, sql }) => (kind === "ClusterStmt" || ("VacuumStmt" in node && /\bfull\b/i.test(sql)) ? ["writes the table anew under ACCESS EXCLUSIVE"] : []),
  },
  {
    name: "reindex-without-concurrently",
    title: "Indexes are rebuilt CONCURRENTLY",
    remedy: "REINDEX … CONCURRENTLY, outside a transaction.",
    find: ({ node }) => ("ReindexStmt" in node && !JSON.stringify(node.ReindexStmt.params ?? []).includes("concurrently") ? ["stops writers, and readers that plan with the index"] : []),
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
  {
    name: "missing-lock-timeout",
    title: "A lock_timeout is set before strong locks are asked for",
    severity: "warning",
    remedy: "SET lock_timeout = '500ms' (SET LOCAL in a transaction) as the first statement.",
    find: (statement, { hasLockTimeout, newTables, file }) => {
      if (hasLockTimeout || file.statements.slice(0, statement.index).some((other) => tableCommands(other).length > 0)) return [];
      const tables = tableCommands(statement).map(({ table }) => table).filter((table) => !newTables.has(table));
      return tables.length === 0 ? [] : [`ALTER TABLE ${tables[0] ?? ""} waits without limit, and everybody behind it`];
    },
  },
];
