import type { ColumnShape } from "../masking/column.ts";
import { quoteIdentifier } from "../postgres/identifier.ts";

export interface Column extends ColumnShape {
  /** `attnum`. */
  readonly number: number;
  /** Computed by the server from other columns. */
  readonly generated: boolean;
  /** SQL that computes it, of a generated one. */
  readonly generation?: string;
  readonly isDomain: boolean;
  /** Its binary form means the same on every server of one major version. */
  readonly binarySafe: boolean;
}

/** A relation that holds rows: an ordinary table, or one partition of a partitioned one. */
export interface Leaf {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** As last analysed. */
  readonly estimatedRows: number;
  readonly sizeBytes: number;
}

export interface UniqueKey {
  readonly name: string;
  readonly primary: boolean;
  /** Key expressions as SQL, columns quoted. */
  readonly expressions: readonly string[];
  readonly predicate: string | undefined;
  /** Every column it reads. */
  readonly columns: readonly string[];
}

/** `EXCLUDE (a WITH =, b WITH &&) WHERE (…)`. */
export interface Exclusion {
  readonly name: string;
  /** Key expressions as SQL, columns quoted; each with its operator, as `OPERATOR(schema.=)`. */
  readonly expressions: readonly string[];
  readonly operators: readonly string[];
  readonly predicate: string | undefined;
  readonly columns: readonly string[];
}

export interface CheckConstraint {
  readonly name: string;
  readonly expression: string;
  readonly columns: readonly string[];
}

/** An ordinary or partitioned table, as people name it. */
export interface Table {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** `Table` in schema public, else `schema.Table`: its key in policies and reports. Odd names stand in double quotes. */
  readonly key: string;
  readonly partitioned: boolean;
  readonly leaves: readonly Leaf[];
  readonly columns: readonly Column[];
  readonly primaryKey: readonly string[];
  readonly uniqueKeys: readonly UniqueKey[];
  readonly checks: readonly CheckConstraint[];
  readonly exclusions: readonly Exclusion[];
  /**
   * Columns that decide the partition, on every level. A `null` says that it cannot be known beforehand: an expression does,
   * or the hash of a type of the application's own, which differs from server to server (an enum's).
   */
  readonly partitionColumns: readonly (string | null)[];
  readonly rowSecurity: boolean;
  /** UNLOGGED: a standby has none of its rows. */
  readonly unlogged: boolean;
  readonly readable: boolean;
}

export interface Reference {
  /** The constraint's name; `Table(column)` for one that only the subset policy declares. */
  readonly name: string;
  readonly declared: boolean;
  /** False for a constraint that is NOT VALID in the source. */
  readonly validated: boolean;
  readonly child: Table;
  /** The child's relations it holds for: all, unless it was declared on one partition. */
  readonly childLeaves: readonly Leaf[];
  readonly childColumns: readonly string[];
  readonly parent: Table;
  /** The relation named by the constraint: the parent, or one partition of it. */
  readonly parentRelation: { readonly schema: string; readonly name: string; readonly only: boolean };
  readonly parentColumns: readonly string[];
  /** Equality of parent and child for each pair, as `OPERATOR(schema.=)`. */
  readonly operators: readonly string[];
  /** SQL over the child, named `child`. */
  readonly where: string | undefined;
}

export interface Sequence {
  readonly schema: string;
  readonly name: string;
  readonly lastValue: string;
  readonly isCalled: boolean;
  /** The column it fills, where it belongs to one or is one's default. */
  readonly filled: { readonly table: string; readonly schema: string; readonly column: string } | undefined;
  readonly increment: string;
}

export interface Extension {
  readonly name: string;
  readonly version: string;
}

/** What the source has, as one snapshot sees it. */
export interface Catalog {
  readonly serverVersion: number;
  /** The source is a hot standby. */
  readonly standby: boolean;
  readonly tables: readonly Table[];
  readonly references: readonly Reference[];
  readonly sequences: readonly Sequence[];
  readonly extensions: readonly Extension[];
  /** Made in the copy, never read. */
  readonly foreignTables: readonly string[];
  /** How many there are. */
  readonly largeObjects: number;
  /** Foreign keys and CHECK constraints (of domains too) that are NOT VALID in the source. */
  readonly notValid: readonly string[];
  /** Materialized views without data in the source, `schema.name` quoted. */
  readonly unfilledViews: readonly string[];
  /** Roles that policies of row security name. */
  readonly policyRoles: readonly string[];
  /** Tables of extensions whose rows a dump of the data would hold, as their key. */
  readonly extensionTables: readonly string[];
}

/** `schema.name`, quoted. */
export function qualified(relation: { readonly schema: string; readonly name: string }): string {
  return `${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`;
}

/** What FROM wants for a relation that holds rows itself, without those that inherit from it. */
export function fromLeaf(leaf: Leaf): string {
  return `ONLY ${qualified(leaf)}`;
}

/** What FROM wants for all rows of a table, without other tables that inherit from it. */
export function fromTable(table: Table): string {
  return table.partitioned ? qualified(table) : `ONLY ${qualified(table)}`;
}

/** A name as policies write it: in double quotes where it holds what separates names there. */
function written(name: string): string {
  return /[."(),]/.test(name) ? quoteIdentifier(name) : name;
}

/** How a table is named in policies and reports. */
export function tableKey(schema: string, name: string): string {
  return schema === "public" ? written(name) : `${written(schema)}.${written(name)}`;
}

/** A reference as policies write it. */
export function referenceKey(reference: Pick<Reference, "child" | "childColumns">): string {
  return `${reference.child.key}(${reference.childColumns.map(written).join(", ")})`;
}

/** The table of a policy's name: by its key, or with its schema written out. */
export function findTable(catalog: Pick<Catalog, "tables">, name: string): Table | undefined {
  return catalog.tables.find((table) => table.key === name || `${written(table.schema)}.${written(table.name)}` === name);
}
