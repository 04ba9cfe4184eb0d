import { exitCode, UnderstudyError } from "../errors.ts";
import { compileMask } from "../masking/compile.ts";
import type { CompiledMask } from "../masking/compile.ts";
import { misfits } from "../masking/fit.ts";
import type { MaskingPolicy } from "../masking/policy.ts";
import type { ColumnShape } from "../masking/column.ts";
import type { ColumnRule } from "../masking/rule.ts";
import { referenceKey } from "./catalog.ts";
import type { Catalog, Column, Reference, Table } from "./catalog.ts";
import { RuleResolution } from "./ruleResolution.ts";
import type { ResolvedRule } from "./ruleResolution.ts";

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

/**
 * Holds the policy against the catalog: every column must have a treatment that fits it.
 * A foreign key's column follows the column it points to, and need not be named.
 * @throws UnderstudyError (exit 4) that names every column without a rule, every rule without a column,
 *   and every rule that cannot work, at once. Nothing has been copied then.
 */
export function resolveTreatments(policy: MaskingPolicy, catalog: Catalog): TableTreatment[] {
  const resolution = new RuleResolution(policy, catalog);
  const { problems } = resolution;
  const resolvedOf = new Map<Column, ResolvedRule>();
  for (const table of catalog.tables) {
    if (resolution.isLeftOut(table)) continue;
    if (catalog.standby && table.unlogged) problems.push(`${table.key}: UNLOGGED, and a standby has none of its rows: leaveOut, or copy from the primary`);
    const known = new Set(table.columns.map((column) => column.name));
    for (const name of resolution.named(table)) {
      if (!known.has(name)) problems.push(`${table.key}.${name}: a rule for a column that does not exist`);
    }
    for (const column of table.columns) {
      if (column.generated) continue;
      const resolved = resolution.resolve(table, column);
      if (resolved === undefined) problems.push(`${table.key}.${column.name}: no rule`);
      else resolvedOf.set(column, resolved);
    }
  }

  if (catalog.largeObjects > 0 && policy.largeObjects === undefined) problems.push(`largeObjects: no rule for ${catalog.largeObjects} large object(s): keep, empty or leaveOut`);

  const shortest = shortestOfGroups(resolvedOf);
  const treatments = catalog.tables.map((table): TableTreatment => {
    if (resolution.isLeftOut(table)) return { table, leftOut: true, columns: [] };
    const known = new Set(table.columns.map((column) => column.name));
    const columns = table.columns.flatMap((column): Treatment[] => {
      const resolved = resolvedOf.get(column);
      if (resolved === undefined) return [];
      const { rule, follows, origin } = resolved;
      const maxLength = shortest.get(origin.column);
      const like: ColumnShape = { ...origin.column, ...(maxLength === undefined ? {} : { maxLength }) };
      const wrong = [...new Set([...misfits(rule, column), ...misfits(rule, like), ...subjectMisfits(rule, known)])];
      problems.push(...wrong.map((why) => `${table.key}.${column.name}: ${why}`));
      return wrong.length > 0 ? [] : [{ column, rule, follows, mask: compileMask(rule, column, like) }];
    });
    return { table, leftOut: false, columns };
  });
  refuse([...new Set(problems)]);
  return treatments;
}

/** Columns that follow one another get one mask, so it must fit the shortest of them. */
function shortestOfGroups(resolved: ReadonlyMap<Column, ResolvedRule>): Map<Column, number> {
  const shortest = new Map<Column, number>();
  for (const [{ maxLength }, { origin }] of resolved) {
    if (maxLength !== undefined) shortest.set(origin.column, Math.min(maxLength, shortest.get(origin.column) ?? maxLength));
  }
  return shortest;
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
    remedy: "Classify them in masking.yaml: keep, null, or a transformer. `understudy copy classify --missing` proposes rules for those without one.",
  });
}
