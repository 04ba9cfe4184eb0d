import { exitCode, UnderstudyError } from "../errors.ts";
import type { ColumnRule } from "../masking/rule.ts";
import { findTable, referenceKey } from "./catalog.ts";
import type { Catalog, Reference, Table } from "./catalog.ts";
import { sameRule } from "./ruleResolution.ts";
import { parseReference } from "./subsetPolicy.ts";
import type { ChildRule, RootRule, SubsetPolicy } from "./subsetPolicy.ts";
import { orphanedReferences } from "./treatments.ts";
import type { TableTreatment } from "./treatments.ts";

export interface Root {
  readonly table: Table;
  readonly rule: RootRule;
  /** Rows at most; infinity for all. */
  readonly limit: number;
}

/** The subset policy held against the catalog. */
export interface SubsetPlan {
  readonly roots: readonly Root[];
  readonly whole: ReadonlySet<Table>;
  /** Declared and virtual ones between tables that are copied. */
  readonly references: readonly Reference[];
  readonly cut: ReadonlySet<Reference>;
  childRule(reference: Reference): ChildRule;
}

/**
 * Holds the subset policy against the catalog.
 * @param limit rows of each root without a limit of its own; default the policy's
 * @throws UnderstudyError (exit 2) that names every wrong table, column and reference at once.
 */
export function planSubset(policy: SubsetPolicy, catalog: Catalog, treatments: readonly TableTreatment[], limit = policy.limit): SubsetPlan {
  const problems: string[] = [];
  const leftOut = new Set(treatments.filter((treatment) => treatment.leftOut).map(({ table }) => table));
  const tableOf = (name: string, where: string): Table | undefined => {
    const table = findTable(catalog, name);
    if (table === undefined) problems.push(`${where}: no table ${name}`);
    else if (leftOut.has(table)) problems.push(`${where}: table ${name} is left out by masking.yaml`);
    return table;
  };
  const requireColumns = (table: Table, columns: readonly string[], where: string): void => {
    for (const column of columns) {
      if (!table.columns.some(({ name }) => name === column)) problems.push(`${where}: table ${table.key} has no column ${column}`);
    }
  };

  const virtual = policy.virtualReferences.flatMap(({ from, to, where }): Reference[] => {
    const [left, right] = [parseReference(from), parseReference(to)];
    const [child, parent] = [tableOf(left.table, from), tableOf(right.table, from)];
    if (child === undefined || parent === undefined) return [];
    requireColumns(child, left.columns, from);
    requireColumns(parent, right.columns, from);
    if (left.columns.length !== right.columns.length) problems.push(`${from}: ${left.columns.length} column(s) refer to ${right.columns.length}`);
    return [
      {
        name: from,
        declared: false,
        validated: false,
        child,
        childLeaves: child.leaves,
        childColumns: left.columns,
        parent,
        parentRelation: { schema: parent.schema, name: parent.name, only: !parent.partitioned },
        parentColumns: right.columns,
        operators: left.columns.map(() => "="),
        where,
      },
    ];
  });
  problems.push(...virtual.flatMap((reference) => maskedApart(reference, treatments)));
  const all = [...catalog.references, ...virtual];
  const named = (text: string): Reference[] => {
    const { table, columns } = parseReference(text);
    const found = all.filter(
      (reference) => reference.child === findTable(catalog, table) && reference.childColumns.join() === columns.join(),
    );
    if (found.length === 0) problems.push(`${text}: no such reference`);
    return found;
  };

  const rules = new Map<Reference, ChildRule>();
  for (const [text, rule] of Object.entries(policy.children.rules)) {
    for (const reference of named(text)) rules.set(reference, rule);
  }
  const cut = new Set(policy.cut.flatMap(named));
  for (const reference of cut) {
    const fixed = reference.child.columns.filter((column) => reference.childColumns.includes(column.name) && column.notNull);
    if (fixed.length === reference.childColumns.length) problems.push(`cut ${referenceKey(reference)}: NOT NULL`);
  }
  const roots = policy.roots.flatMap((rule, index): Root[] => {
    const where = `roots.${index}`;
    const table = tableOf(rule.table, where);
    if (table === undefined) return [];
    requireColumns(table, [...(rule.orderBy ?? []), ...(rule.strata === undefined ? [] : [rule.strata.by])], where);
    return [{ table, rule, limit: rule.limit ?? (rule.percent === undefined ? limit : Number.POSITIVE_INFINITY) }];
  });
  const everything = policy.whole === "all";
  const whole = everything ? catalog.tables : (policy.whole as string[]).flatMap((name, index) => tableOf(name, `whole.${index}`) ?? []);
  if (roots.length === 0 && whole.length === 0) problems.push("roots: neither a root nor a whole table: nothing would be copied");
  problems.push(...orphanedReferences(treatments, catalog.references, cut));
  refuse(problems);
  return {
    roots,
    whole: new Set(whole.filter((table) => !leftOut.has(table))),
    references: all.filter((reference) => !leftOut.has(reference.child) && !leftOut.has(reference.parent)),
    cut,
    childRule: (reference) => rules.get(reference) ?? policy.children.default,
  };
}

/** Rows that find each other in production and not in staging. */
function maskedApart({ name, child, childColumns, parent, parentColumns }: Reference, treatments: readonly TableTreatment[]): string[] {
  const ruleOf = (table: Table, column: string): ColumnRule | undefined =>
    treatments.find((treatment) => treatment.table === table)?.columns.find((treatment) => treatment.column.name === column)?.rule;
  return childColumns.flatMap((column, index) => {
    const target = parentColumns[index] ?? "";
    const [own, theirs] = [ruleOf(child, column), ruleOf(parent, target)];
    if (own === undefined || theirs === undefined || own.mask === "null" || sameRule(own, theirs)) return [];
    return [`${name}: ${child.key}.${column} is ${own.mask} and ${parent.key}.${target} is ${theirs.mask} in masking.yaml, so they would not meet in staging`];
  });
}

function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new UnderstudyError(`Nothing was copied: subset.yaml has ${problems.length} problem(s): ${problems.join("; ")}.`, {
    exitCode: exitCode.usage,
    remedy: "Correct subset.yaml: tables as Table or schema.Table, references as Table(column).",
  });
}
