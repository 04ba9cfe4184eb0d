import type { Client } from "pg";
import { quoteIdentifier } from "../postgres/identifier.ts";
import { fromLeaf, fromTable, qualified } from "./catalog.ts";
import type { Leaf, Reference, Table } from "./catalog.ts";
import { chooseRoots, readPlaces } from "./rootRows.ts";
import type { Place } from "./rootRows.ts";
import type { SubsetPlan } from "./subsetPlan.ts";
import { TidQueue, TidSet } from "./tidSet.ts";

/** Rows to copy of each relation, by its oid: all, or the chosen ones. A relation that is not in it gives none. */
export type Selection = ReadonlyMap<number, "all" | TidSet>;

/** Rows asked about in one query. */
const batchRows = 2_000;

interface Work {
  readonly leaf: Leaf;
  readonly table: Table;
  /** As PostgreSQL reads tid[]. */
  readonly tids: string;
}

/**
 * Follows references from the roots until nothing is missing. Parents are followed from every row; children only from
 * roots, their children and so on, not from rows that came as somebody's parent: a story that was ordered does not bring
 * in everybody else who ordered it.
 */
export async function selectRows(client: Client, plan: SubsetPlan, tables: readonly Table[]): Promise<Selection> {
  const walk = new Walk(client, plan, tables);
  for (const root of plan.roots) await chooseRoots(client, root, (places) => walk.reach(places, true));
  await walk.takeWholeTablesParents();
  await walk.untilNothingIsMissing();
  return walk.selection();
}

class Walk {
  readonly #client: Client;
  readonly #plan: SubsetPlan;
  readonly #homes = new Map<number, { readonly leaf: Leaf; readonly table: Table }>();
  readonly #taken = new Map<number, TidSet>();
  /** Those whose children are followed too. */
  readonly #owned = new Map<number, TidSet>();
  readonly #parentsToFollow = new Map<number, TidQueue>();
  readonly #childrenToFollow = new Map<number, TidQueue>();

  constructor(client: Client, plan: SubsetPlan, tables: readonly Table[]) {
    this.#client = client;
    this.#plan = plan;
    for (const table of tables) for (const leaf of table.leaves) this.#homes.set(leaf.oid, { leaf, table });
  }

  reach(places: readonly Place[], owned: boolean): void {
    for (const { relation, tid } of places) {
      const home = this.#homes.get(relation);
      if (home === undefined || this.#plan.whole.has(home.table)) continue;
      if (setOf(this.#taken, relation).add(tid)) queueOf(this.#parentsToFollow, relation).push(tid);
      if (owned && setOf(this.#owned, relation).add(tid)) queueOf(this.#childrenToFollow, relation).push(tid);
    }
  }

  async takeWholeTablesParents(): Promise<void> {
    for (const reference of this.#plan.references) {
      if (!this.#plan.whole.has(reference.child) || !this.#leadsToParent(reference)) continue;
      for (const leaf of reference.childLeaves) await this.#ask(parentsSql(reference, leaf, false), undefined, false);
    }
  }

  async untilNothingIsMissing(): Promise<void> {
    for (let work = this.#next(); work !== undefined; work = this.#next()) {
      const { kind, leaf, table, tids } = work;
      for (const reference of this.#plan.references) {
        if (kind === "parents") {
          if (reference.child !== table || !reference.childLeaves.includes(leaf) || !this.#leadsToParent(reference)) continue;
          await this.#ask(parentsSql(reference, leaf, true), tids, false);
        } else {
          if (reference.parent !== table || this.#plan.whole.has(reference.child)) continue;
          const rule = this.#plan.childRule(reference);
          if (rule === "skip") continue;
          const limit = rule === "follow" ? undefined : rule.perParent;
          await this.#ask(childrenSql(reference, leaf, limit), tids, true);
        }
      }
    }
  }

  selection(): Selection {
    const selection = new Map<number, "all" | TidSet>(this.#taken);
    for (const table of this.#plan.whole) for (const leaf of table.leaves) selection.set(leaf.oid, "all");
    return selection;
  }

  /** Cut references bring no parent, virtual ones do not demand one, whole parents are there already. */
  #leadsToParent(reference: Reference): boolean {
    return reference.declared && !this.#plan.cut.has(reference) && !this.#plan.whole.has(reference.parent);
  }

  #next(): (Work & { readonly kind: "parents" | "children" }) | undefined {
    for (const kind of ["children", "parents"] as const) {
      const waiting = kind === "parents" ? this.#parentsToFollow : this.#childrenToFollow;
      for (const [relation, queue] of waiting) {
        const home = this.#homes.get(relation);
        if (home !== undefined && queue.size > 0) return { kind, ...home, tids: queue.take(batchRows) };
      }
    }
    return undefined;
  }

  async #ask(sql: string, tids: string | undefined, owned: boolean): Promise<void> {
    await readPlaces(this.#client, sql, tids === undefined ? [] : [tids], (places) => this.reach(places, owned));
  }
}

/** `parent.key = child.key AND …`, with the constraint's own operators. */
export function matchSql(reference: Reference, parent: string, child: string): string {
  const pairs = reference.parentColumns.map((column, index) => {
    const childColumn = reference.childColumns[index] ?? "";
    return `${parent}.${quoteIdentifier(column)} ${reference.operators[index] ?? "="} ${child}.${quoteIdentifier(childColumn)}`;
  });
  return [...pairs, ...(reference.where === undefined ? [] : [`(${reference.where})`])].join(" AND ");
}

const places = (alias: string): string => `${alias}.tableoid::int8::float8 AS relation, ${alias}.ctid::text AS tid`;

function fromParent({ parentRelation }: Reference): string {
  return `${parentRelation.only ? "ONLY " : ""}${qualified(parentRelation)}`;
}

function parentsSql(reference: Reference, childLeaf: Leaf, chosen: boolean): string {
  return `SELECT DISTINCT ${places("parent")} FROM ${fromLeaf(childLeaf)} AS child
            JOIN ${fromParent(reference)} AS parent ON ${matchSql(reference, "parent", "child")}
           ${chosen ? "WHERE child.ctid = ANY ($1::tid[])" : ""}`;
}

function childrenSql(reference: Reference, parentLeaf: Leaf, perParent: number | undefined): string {
  if (perParent === undefined) {
    return `SELECT DISTINCT ${places("child")} FROM ${fromLeaf(parentLeaf)} AS parent
              JOIN ${fromTable(reference.child)} AS child ON ${matchSql(reference, "parent", "child")}
             WHERE parent.ctid = ANY ($1::tid[])`;
  }
  const order = reference.child.primaryKey.map((column) => `child.${quoteIdentifier(column)}, `).join("");
  return `SELECT chosen.* FROM ${fromLeaf(parentLeaf)} AS parent
           CROSS JOIN LATERAL (SELECT ${places("child")} FROM ${fromTable(reference.child)} AS child
                                WHERE ${matchSql(reference, "parent", "child")}
                                ORDER BY ${order}child.tableoid, child.ctid LIMIT ${perParent}) AS chosen
           WHERE parent.ctid = ANY ($1::tid[])`;
}

function setOf(sets: Map<number, TidSet>, relation: number): TidSet {
  const present = sets.get(relation) ?? new TidSet();
  sets.set(relation, present);
  return present;
}

function queueOf(queues: Map<number, TidQueue>, relation: number): TidQueue {
  const present = queues.get(relation) ?? new TidQueue();
  queues.set(relation, present);
  return present;
}
