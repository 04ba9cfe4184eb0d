import { exitCode, UnderstudyError } from "../errors.ts";
import { compileMask } from "../masking/compile.ts";
import type { CompiledMask } from "../masking/compile.ts";
import { misfits } from "../masking/fit.ts";
import type { MaskingPolicy } from "../masking/policy.ts";
import type { ColumnRule } from "../masking/rule.ts";
import { findTable, referenceKey } from "./catalog.ts";
import type { Catalog, Column, Reference, Table } from "./catalog.ts";

/** How one column is copied. */
export interface Treatment {
  readonly column: Column;
  readonly rule: ColumnRule;
  /** The column whose rule this is, where a foreign key decided it. */
  readonly follows: string | undefined;
  readonly mask: CompiledMask;
}

/** How one table is copied; generated columns are the server's own and have no treatment. */
export interface TableTreatment {
  readonly table: Table;
  readonly leftOut: boolean;
  readonly columns: readonly Treatment[];
}

interface Resolved {
  readonly rule: ColumnRule;
  readonly follows: string | undefined;
}

/**
 * Holds the policy against the catalog: every column must have a treatment that fits it.
 * A foreign key's column follows the column it points to, and need not be named.
 * @throws UnderstudyError (exit 4) that names every column without a rule, every rule without a column,
 *   and every rule that cannot work, at once. Nothing has been copied then.
 */
export function resolveTreatments(policy: MaskingPolicy, catalog: Catalog): TableTreatment[] {
  const problems: string[] = [];
  const rules = new Map<Table, MaskingPolicy["tables"][string]>();
  for (const [name, rule] of Object.entries(policy.tables)) {
    const table = findTable(catalog, name);
    if (table === undefined) problems.push(`${name}: a rule for a table that does not exist`);
    else if (rules.has(table)) problems.push(`${name}: a second rule for the same table`);
    else rules.set(table, rule);
  }

  const explicit = (table: Table, column: string): ColumnRule | undefined => rules.get(table)?.columns?.[column];
  const resolve = (table: Table, column: string, seen: readonly string[]): Resolved | undefined => {
    const here = `${table.key}.${column}`;
    const own = explicit(table, column);
    const targets = seen.includes(here) ? [] : targetsOf(catalog.references, table, column);
    const followed = targets.flatMap(({ table: parent, column: name }) => {
      const found = rules.get(parent)?.leaveOut === true ? undefined : resolve(parent, name, [...seen, here]);
      return found === undefined ? [] : [{ rule: found.rule, follows: `${parent.key}.${name}` }];
    });
    const [first, ...others] = followed;
    if (first === undefined) return own === undefined || own.mask === "follow" ? undefined : { rule: own, follows: undefined };
    const conflict = others.find((other) => !sameRule(other.rule, first.rule));
    if (conflict !== undefined) problems.push(`${here}: follows ${first.follows} and ${conflict.follows}, which are masked differently`);
    if (own !== undefined && own.mask !== "follow" && own.mask !== "null" && !sameRule(own, first.rule)) {
      problems.push(`${here}: ${own.mask}, but it refers to ${first.follows}, which is ${first.rule.mask}; write "follow" or leave it out`);
    }
    return own?.mask === "null" ? { rule: own, follows: undefined } : first;
  };

  const treatments = catalog.tables.map((table): TableTreatment => {
    const rule = rules.get(table);
    if (rule?.leaveOut === true) return { table, leftOut: true, columns: [] };
    const known = new Set(table.columns.map((column) => column.name));
    for (const name of Object.keys(rule?.columns ?? {})) {
      if (!known.has(name)) problems.push(`${table.key}.${name}: a rule for a column that does not exist`);
    }
    const columns = table.columns.flatMap((column): Treatment[] => {
      if (column.generated) return [];
      const resolved = resolve(table, column.name, []);
      if (resolved === undefined) {
        problems.push(`${table.key}.${column.name}: no rule`);
        return [];
      }
      const wrong = [...misfits(resolved.rule, column), ...subjectMisfits(resolved.rule, known)];
      problems.push(...wrong.map((why) => `${table.key}.${column.name}: ${why}`));
      return wrong.length > 0 ? [] : [{ column, ...resolved, mask: compileMask(resolved.rule, column) }];
    });
    return { table, leftOut: false, columns };
  });
  refuse([...new Set(problems)]);
  return treatments;
}

function targetsOf(references: readonly Reference[], table: Table, column: string): { table: Table; column: string }[] {
  return references
    .filter((reference) => reference.child === table)
    .flatMap((reference) => {
      const name = reference.parentColumns[reference.childColumns.indexOf(column)];
      return name === undefined ? [] : [{ table: reference.parent, column: name }];
    });
}

/** Options of the same meaning: an absent one equals one that is undefined. */
function sameRule(left: ColumnRule, right: ColumnRule): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

function subjectMisfits(rule: ColumnRule, known: ReadonlySet<string>): string[] {
  if (rule.mask !== "date-shift" || rule.subject === undefined || known.has(rule.subject)) return [];
  return [`date-shift by ${rule.subject}, a column that does not exist`];
}

/** Left-out parents of copied children must be cut; asked by the plan of what is copied. */
export function orphanedReferences(treatments: readonly TableTreatment[], references: readonly Reference[], cut: ReadonlySet<Reference>): string[] {
  const leftOut = new Set(treatments.filter((treatment) => treatment.leftOut).map(({ table }) => table));
  return references
    .filter((reference) => reference.declared && !leftOut.has(reference.child) && leftOut.has(reference.parent) && !cut.has(reference))
    .map((reference) => `${referenceKey(reference)}: its table ${reference.parent.key} is left out; cut the reference in subset.yaml`);
}

function refuse(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new UnderstudyError(`Nothing was copied: ${problems.length} column(s) or rule(s) of the masking policy need attention: ${problems.join("; ")}.`, {
    exitCode: exitCode.checkFailed,
    remedy: "Classify them in masking.yaml: keep, null, or a transformer.",
  });
}
