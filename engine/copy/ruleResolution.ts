import type { MaskingPolicy } from "../masking/policy.ts";
import type { ColumnRule } from "../masking/rule.ts";
import { findTable } from "./catalog.ts";
import type { Catalog, Column, Table } from "./catalog.ts";

/** The rule a column has in the end, and whose it is. */
export interface ResolvedRule {
  readonly rule: ColumnRule;
  /** The column whose rule this is, where a foreign key decided it. */
  readonly follows: string | undefined;
  /** The column at the end of the chain: its type decides how values are masked, so that all that follow it agree. */
  readonly origin: { readonly table: Table; readonly column: Column };
}

/**
 * The policy held against the catalog, column by column. A foreign key's column follows the column it points to.
 * What is wrong with the policy itself is gathered in `problems`.
 */
export class RuleResolution {
  readonly problems: string[] = [];
  readonly #catalog: Catalog;
  readonly #rules = new Map<Table, MaskingPolicy["tables"][string]>();

  constructor(policy: MaskingPolicy, catalog: Catalog) {
    this.#catalog = catalog;
    for (const [name, rule] of Object.entries(policy.tables)) {
      const table = findTable(catalog, name);
      if (table === undefined) this.problems.push(`${name}: a rule for a table that does not exist`);
      else if (this.#rules.has(table)) this.problems.push(`${name}: a second rule for the same table`);
      else this.#rules.set(table, rule);
    }
  }

  isLeftOut(table: Table): boolean {
    return this.#rules.get(table)?.leaveOut === true;
  }

  /** Columns that the policy names, whether they exist or not. */
  named(table: Table): string[] {
    return Object.keys(this.#rules.get(table)?.columns ?? {});
  }

  /** Undefined where neither the policy nor a foreign key says anything. */
  resolve(table: Table, column: Column, seen: readonly string[] = []): ResolvedRule | undefined {
    const here = `${table.key}.${column.name}`;
    const own = this.#rules.get(table)?.columns?.[column.name];
    const targets = seen.includes(here) ? [] : this.#targetsOf(table, column.name);
    const followed = targets.flatMap((target): ResolvedRule[] => {
      const found = this.isLeftOut(target.table) ? undefined : this.resolve(target.table, target.column, [...seen, here]);
      return found === undefined ? [] : [{ ...found, follows: `${target.table.key}.${target.column.name}` }];
    });
    const [first, ...others] = followed;
    if (first === undefined) return own === undefined || own.mask === "follow" ? undefined : { rule: own, follows: undefined, origin: { table, column } };
    const conflict = others.find((other) => !sameRule(other.rule, first.rule));
    if (conflict !== undefined) this.problems.push(`${here}: follows ${first.follows} and ${conflict.follows}, which are masked differently`);
    if (own !== undefined && own.mask !== "follow" && own.mask !== "null" && !sameRule(own, first.rule)) {
      this.problems.push(`${here}: ${own.mask}, but it refers to ${first.follows}, which is ${first.rule.mask}; write "follow" or leave it out`);
    }
    return own?.mask === "null" ? { rule: own, follows: undefined, origin: { table, column } } : first;
  }

  #targetsOf(table: Table, column: string): { table: Table; column: Column }[] {
    return this.#catalog.references
      .filter((reference) => reference.child === table)
      .flatMap((reference) => {
        const name = reference.parentColumns[reference.childColumns.indexOf(column)];
        const target = reference.parent.columns.find((candidate) => candidate.name === name);
        return target === undefined ? [] : [{ table: reference.parent, column: target }];
      });
  }
}

/** Options of the same meaning: an absent one equals one that is undefined. */
export function sameRule(left: ColumnRule, right: ColumnRule): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

/** Columns that would stop a copy for want of a rule, by table. */
export function columnsWithoutRule(policy: MaskingPolicy, catalog: Catalog): Map<Table, readonly Column[]> {
  const resolution = new RuleResolution(policy, catalog);
  const missing = catalog.tables.map((table): [Table, Column[]] => [
    table,
    resolution.isLeftOut(table) ? [] : table.columns.filter((column) => !column.generated && resolution.resolve(table, column) === undefined),
  ]);
  return new Map(missing.filter(([, columns]) => columns.length > 0));
}
