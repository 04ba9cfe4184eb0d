import type { Client, QueryResultRow } from "pg";
import { exitCode, UnderstudyError } from "../errors.ts";
import { qualified, tableKey } from "./catalog.ts";
import type { Catalog, CheckConstraint, Column, Exclusion, Leaf, Reference, Sequence, Table, UniqueKey } from "./catalog.ts";
import {
  checksSql,
  columnsSql,
  exclusionsSql,
  extensionsSql,
  referencesSql,
  relationsSql,
  sequencesSql,
  typesSql,
  uniqueKeysSql,
  wholeSql,
} from "./catalogSql.ts";
import { shapeColumns } from "./columnShapes.ts";
import type { ColumnRow, TypeRow } from "./columnShapes.ts";

interface RelationRow extends Leaf {
  readonly kind: "r" | "p" | "f";
  readonly rowSecurity: boolean;
  readonly readable: boolean;
  readonly unlogged: boolean;
  readonly parent: number | null;
  readonly partitionColumns: (string | null)[] | null;
}
interface ReferenceRow {
  readonly name: string;
  readonly validated: boolean;
  readonly child: number;
  readonly parent: number;
  readonly parentOnly: boolean;
  readonly parentSchema: string;
  readonly parentName: string;
  readonly childColumns: number[];
  readonly parentColumns: number[];
  readonly operators: string[];
}
interface UniqueRow extends Omit<UniqueKey, "columns" | "predicate"> {
  readonly relation: number;
  readonly predicate: string | null;
  readonly keyColumns: number[];
  readonly columns: number[];
}
interface ExclusionRow extends Omit<Exclusion, "columns" | "predicate"> {
  readonly relation: number;
  readonly predicate: string | null;
  readonly columns: number[];
}
interface CheckRow extends Omit<CheckConstraint, "columns"> {
  readonly relation: number;
  readonly columns: number[];
}
interface SequenceRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly increment: string;
  readonly readable: boolean;
  readonly filledRelation: number | null;
  readonly filledColumn: number | null;
}

/**
 * Reads what the copy needs to know of the source. The session's search_path must be pg_catalog.
 * @throws UnderstudyError (exit 2) naming all tables and sequences that this role may not read whole.
 */
export async function readCatalog(client: Client): Promise<Catalog> {
  const ask = async <Row extends QueryResultRow>(sql: string): Promise<Row[]> => (await client.query<Row>(sql)).rows;
  const version = await ask<{ version: number }>("SELECT current_setting('server_version_num')::int AS version");
  const relations = await ask<RelationRow>(relationsSql);
  const columns = shapeColumns(await ask<ColumnRow>(columnsSql), await ask<TypeRow>(typesSql));
  const constraints = { uniques: await ask<UniqueRow>(uniqueKeysSql), checks: await ask<CheckRow>(checksSql), exclusions: await ask<ExclusionRow>(exclusionsSql) };
  const tables = buildTables(relations, columns, constraints);
  const sequenceRows = await ask<SequenceRow>(sequencesSql);
  refuseUnreadable(tables, sequenceRows);
  const [whole] = await ask<Pick<Catalog, "standby" | "largeObjects" | "notValid" | "unfilledViews" | "policyRoles" | "extensionTables">>(wholeSql);
  return {
    serverVersion: version[0]?.version ?? 0,
    tables,
    references: buildReferences(await ask<ReferenceRow>(referencesSql), tables),
    sequences: await readSequences(client, sequenceRows, tables),
    extensions: await ask(extensionsSql),
    foreignTables: relations.filter((row) => row.kind === "f").map((row) => tableKey(row.schema, row.name)),
    ...(whole ?? { standby: false, largeObjects: 0, notValid: [], unfilledViews: [], policyRoles: [], extensionTables: [] }),
  };
}

function buildTables(
  relations: readonly RelationRow[],
  columnsOf: ReadonlyMap<number, readonly Column[]>,
  { uniques, checks, exclusions }: { readonly uniques: readonly UniqueRow[]; readonly checks: readonly CheckRow[]; readonly exclusions: readonly ExclusionRow[] },
): Table[] {
  const leavesOf = (oid: number): RelationRow[] => {
    const children = relations.filter((row) => row.parent === oid);
    return children.flatMap((row) => (row.kind === "p" ? leavesOf(row.oid) : row.kind === "r" ? [row] : []));
  };
  const partitionColumnsOf = (row: RelationRow): (string | null)[] => [
    ...(row.partitionColumns ?? []),
    ...relations.filter((below) => below.parent === row.oid).flatMap(partitionColumnsOf),
  ];
  return relations
    .filter((row) => row.kind !== "f" && row.parent === null)
    .map((row) => {
      const columns = columnsOf.get(row.oid) ?? [];
      const names = (numbers: readonly number[]): string[] =>
        numbers.flatMap((number) => columns.find((column) => column.number === number)?.name ?? []);
      const leaves = row.kind === "p" ? leavesOf(row.oid) : [row];
      const own = uniques.filter((unique) => unique.relation === row.oid);
      return {
        oid: row.oid,
        schema: row.schema,
        name: row.name,
        key: tableKey(row.schema, row.name),
        partitioned: row.kind === "p",
        leaves: leaves.map(({ oid, schema, name, estimatedRows, sizeBytes }) => ({ oid, schema, name, estimatedRows, sizeBytes })),
        columns,
        primaryKey: names(own.find((unique) => unique.primary)?.keyColumns ?? []),
        uniqueKeys: own.map(({ name, primary, expressions, predicate, columns: read }) => ({
          name,
          primary,
          expressions,
          predicate: predicate ?? undefined,
          columns: names(read),
        })),
        checks: checks
          .filter((check) => check.relation === row.oid)
          .map(({ name, expression, columns: read }) => ({ name, expression, columns: names(read) })),
        exclusions: exclusions
          .filter((exclusion) => exclusion.relation === row.oid)
          .map(({ name, expressions, operators, predicate, columns: read }) => ({ name, expressions, operators, predicate: predicate ?? undefined, columns: names(read) })),
        unlogged: [row, ...leaves].some((relation) => relation.unlogged),
        partitionColumns: partitionColumnsOf(row),
        rowSecurity: [row, ...leaves].some((relation) => relation.rowSecurity),
        readable: [row, ...leaves].every((relation) => relation.readable),
      };
    });
}

function buildReferences(rows: readonly ReferenceRow[], tables: readonly Table[]): Reference[] {
  const tableOf = (oid: number): Table | undefined =>
    tables.find((table) => table.oid === oid || table.leaves.some((leaf) => leaf.oid === oid));
  return rows.flatMap((row) => {
    const child = tableOf(row.child);
    const parent = tableOf(row.parent);
    if (child === undefined || parent === undefined) return [];
    const names = (table: Table, numbers: readonly number[]): string[] =>
      numbers.map((number) => table.columns.find((column) => column.number === number)?.name ?? "");
    return {
      name: row.name,
      declared: true,
      validated: row.validated,
      child,
      childLeaves: child.oid === row.child ? child.leaves : child.leaves.filter((leaf) => leaf.oid === row.child),
      childColumns: names(child, row.childColumns),
      parent,
      parentRelation: { schema: row.parentSchema, name: row.parentName, only: row.parentOnly },
      parentColumns: names(parent, row.parentColumns),
      operators: row.operators,
      where: undefined,
    };
  });
}

function refuseUnreadable(tables: readonly Table[], sequences: readonly SequenceRow[]): void {
  const problems = [
    ...tables.filter((table) => !table.readable).map((table) => `no SELECT on table ${table.key}`),
    ...tables.filter((table) => table.rowSecurity).map((table) => `row security hides rows of ${table.key}`),
    ...sequences.filter((row) => !row.readable).map((row) => `no SELECT on sequence ${tableKey(row.schema, row.name)}`),
  ];
  if (problems.length === 0) return;
  throw new UnderstudyError(`The source's role cannot read everything: ${problems.join("; ")}.`, {
    exitCode: exitCode.usage,
    remedy: "Grant the role SELECT on all tables and sequences (and BYPASSRLS where row security is on), or pg_read_all_data.",
  });
}

async function readSequences(client: Client, rows: readonly SequenceRow[], tables: readonly Table[]): Promise<Sequence[]> {
  const sequences: Sequence[] = [];
  for (const row of rows) {
    const state = await client.query<{ last: string; called: boolean }>(
      `SELECT last_value::text AS last, is_called AS called FROM ${qualified(row)}`,
    );
    const table = tables.find(({ oid }) => oid === row.filledRelation);
    const column = table?.columns.find(({ number }) => number === row.filledColumn);
    const { last, called } = state.rows[0] ?? { last: "1", called: false };
    sequences.push({
      schema: row.schema,
      name: row.name,
      lastValue: last,
      isCalled: called,
      increment: row.increment,
      filled: table === undefined || column === undefined ? undefined : { schema: table.schema, table: table.name, column: column.name },
    });
  }
  return sequences;
}
