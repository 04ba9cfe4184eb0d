import { relationName } from "../source/scope.ts";
import type { LintRule } from "./rule.ts";

/** The rules about indexes: how they are built, rebuilt and dropped. */
export const indexRules: readonly LintRule[] = [
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
    name: "if-not-exists-concurrently",
    title: "An index that is built CONCURRENTLY is not taken for there by its name",
    severity: "warning",
    remedy: "DROP INDEX CONCURRENTLY IF EXISTS …, then CREATE INDEX CONCURRENTLY …: a build that was interrupted leaves the name behind, on an index that is invalid.",
    find: ({ node }) =>
      "IndexStmt" in node && node.IndexStmt.concurrent === true && node.IndexStmt.if_not_exists === true ? [`IF NOT EXISTS keeps an invalid ${node.IndexStmt.idxname ?? "index"}`] : [],
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
    name: "reindex-without-concurrently",
    title: "Indexes are rebuilt CONCURRENTLY",
    remedy: "REINDEX … CONCURRENTLY, outside a transaction.",
    find: ({ node }) => ("ReindexStmt" in node && !JSON.stringify(node.ReindexStmt.params ?? []).includes("concurrently") ? ["stops writers, and readers that plan with the index"] : []),
  },
];
