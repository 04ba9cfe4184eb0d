import type { TypeFamily } from "../masking/column.ts";
import type { Column } from "./catalog.ts";

export interface ColumnRow {
  readonly relation: number;
  readonly name: string;
  readonly number: number;
  readonly notNull: boolean;
  readonly generated: boolean;
  readonly generation: string | null;
  readonly type: string;
  readonly typeOid: number;
  readonly modifier: number;
}

export interface TypeRow {
  readonly oid: number;
  readonly name: string;
  /** `typtype`. */
  readonly kind: string;
  readonly notNull: boolean;
  readonly base: number;
  readonly modifier: number;
  /** 0 unless an array. */
  readonly element: number;
  readonly builtIn: boolean;
  readonly formatted: string;
  readonly labels: string[] | null;
}

const families: Readonly<Record<string, TypeFamily>> = {
  text: "text",
  varchar: "text",
  bpchar: "text",
  citext: "text",
  int2: "number",
  int4: "number",
  int8: "number",
  numeric: "number",
  float4: "number",
  float8: "number",
  date: "date",
  timestamp: "date",
  timestamptz: "date",
  uuid: "uuid",
  inet: "inet",
  cidr: "inet",
  json: "json",
  jsonb: "json",
  bytea: "bytea",
  bool: "boolean",
};

/** Types whose binary form names objects of one database by number. */
const boundToDatabase = /^(reg|oidvector$|aclitem$|xid|cid$|pg_)/;

/** Columns by their relation, with what their types mean; a domain counts as what it is made of. */
export function shapeColumns(columns: readonly ColumnRow[], types: readonly TypeRow[]): Map<number, Column[]> {
  const byOid = new Map(types.map((type) => [type.oid, type]));
  const shaped = new Map<number, Column[]>();
  for (const row of columns) {
    const of = shaped.get(row.relation) ?? [];
    of.push(shapeColumn(row, byOid));
    shaped.set(row.relation, of);
  }
  return shaped;
}

function shapeColumn(row: ColumnRow, types: ReadonlyMap<number, TypeRow>): Column {
  const { type, modifier, notNull } = resolve(row, types);
  const element = type === undefined || type.element === 0 ? undefined : types.get(type.element);
  const limited = (type?.name === "varchar" || type?.name === "bpchar") && modifier > 4;
  return {
    name: row.name,
    number: row.number,
    type: row.type,
    generated: row.generated,
    ...(row.generation === null ? {} : { generation: row.generation }),
    isDomain: types.get(row.typeOid)?.kind === "d" || element?.kind === "d",
    notNull: row.notNull || notNull,
    family: element === undefined ? familyOf(type) : "array",
    baseType: type?.name ?? "",
    binarySafe: type !== undefined && isBinarySafe(type) && (element === undefined || (element.kind !== "e" && isBinarySafe(element))),
    ...(element === undefined ? {} : { elementFamily: familyOf(baseOf(element, types)), elementType: element.formatted }),
    ...(limited ? { maxLength: modifier - 4 } : {}),
    ...(type?.labels === null || type?.labels === undefined ? {} : { labels: type.labels }),
  };
}

function resolve(row: ColumnRow, types: ReadonlyMap<number, TypeRow>): { type: TypeRow | undefined; modifier: number; notNull: boolean } {
  let type = types.get(row.typeOid);
  let { modifier } = row;
  let notNull = false;
  while (type?.kind === "d") {
    notNull ||= type.notNull;
    if (modifier < 0) ({ modifier } = type);
    type = types.get(type.base);
  }
  return { type, modifier, notNull };
}

/** What a domain is made of in the end; any other type itself. */
function baseOf(type: TypeRow, types: ReadonlyMap<number, TypeRow>): TypeRow | undefined {
  let base: TypeRow | undefined = type;
  while (base?.kind === "d") base = types.get(base.base);
  return base;
}

function familyOf(type: TypeRow | undefined): TypeFamily {
  if (type?.kind === "e") return "enum";
  return families[type?.name ?? ""] ?? "other";
}

/** An enum travels as its label; of the rest only what the server itself brings. An array names its element type by number. */
function isBinarySafe(type: TypeRow): boolean {
  return type.kind === "e" || (type.kind === "b" && type.builtIn && !boundToDatabase.test(type.name));
}
