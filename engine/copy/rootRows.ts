import type { Client } from "pg";
import Cursor from "pg-cursor";
import { quoteIdentifier } from "../postgres/identifier.ts";
import { fromTable, qualified } from "./catalog.ts";
import type { Root } from "./subsetPlan.ts";

/** A row's place: its relation and its tid there. */
export interface Place {
  readonly relation: number;
  readonly tid: string;
}

interface StratumPlace extends Place {
  readonly stratum: string | null;
}

const placeOf = (alias: string): string => `${alias}.tableoid::int8::float8 AS relation, ${alias}.ctid::text AS tid`;

type OnPlaces = (places: readonly Place[]) => void;

/** Places in one piece: enough that a round trip is worth it, few enough that any number of rows goes through. */
const placesAtATime = 10_000;

/** Reads the places that a query finds, piece by piece. */
export async function readPlaces(client: Client, sql: string, values: readonly string[], onPlaces: OnPlaces): Promise<void> {
  const cursor = client.query(new Cursor<Place>(sql, [...values]));
  try {
    for (let places = await cursor.read(placesAtATime); places.length > 0; places = await cursor.read(placesAtATime)) onPlaces(places);
  } finally {
    await cursor.close();
  }
}

/** Chooses the rows of a root: the same ones as long as the data is the same. */
export async function chooseRoots(client: Client, root: Root, onPlaces: OnPlaces): Promise<void> {
  const { strata } = root.rule;
  if (strata === undefined || !Number.isFinite(root.limit)) await choosePlain(client, root, onPlaces);
  else onPlaces(await chooseStratified(client, root, strata));
}

/** The table goes by its own name in the policy's SQL, with its schema's when it is written so. */
function fromRoot(root: Root): { readonly from: string; readonly alias: string } {
  const alias = quoteIdentifier(root.table.name);
  return { from: `${fromTable(root.table)} AS ${alias}`, alias };
}

function orderOf(root: Root, alias: string): string {
  const columns = [...(root.rule.orderBy ?? []), ...root.table.primaryKey];
  return [...new Set(columns)].map((column) => `${alias}.${quoteIdentifier(column)}`).concat(`${alias}.tableoid, ${alias}.ctid`).join(", ");
}

/** The rule's own condition, and its share by a hash that depends on nothing but the key. */
function conditionOf({ rule, table }: Root, alias: string): string {
  if (rule.percent === undefined) return rule.where ?? "true";
  const key = table.primaryKey.length === 0 ? `${alias}.*` : table.primaryKey.map((column) => `${alias}.${quoteIdentifier(column)}`).join(", ");
  const parts = 1_000_000;
  const share = `mod(hashtextextended(ROW(${key})::text, 0)::numeric + 9223372036854775808, ${parts}) < ${Math.ceil((rule.percent / 100) * parts)}`;
  return rule.where === undefined ? share : `(${rule.where}) AND ${share}`;
}

const limitSql = (limit: number): string => (Number.isFinite(limit) ? `LIMIT ${limit}` : "");

async function choosePlain(client: Client, root: Root, onPlaces: OnPlaces): Promise<void> {
  const { from, alias } = fromRoot(root);
  const order = Number.isFinite(root.limit) ? `ORDER BY ${orderOf(root, alias)} ${limitSql(root.limit)}` : "";
  await readPlaces(client, `SELECT ${placeOf(alias)} FROM ${from} WHERE ${conditionOf(root, alias)} ${order}`, [], onPlaces);
}

/**
 * First rows of each stratum, so many that any share of the limit can be filled. An enum's labels are the strata, so that
 * no table is read for them; other columns are asked for their values.
 */
async function chooseStratified(client: Client, root: Root, strata: NonNullable<Root["rule"]["strata"]>): Promise<Place[]> {
  const { from, alias } = fromRoot(root);
  const by = `${alias}.${quoteIdentifier(strata.by)}`;
  const column = root.table.columns.find(({ name }) => name === strata.by);
  const values =
    column?.family === "enum"
      ? `SELECT unnest(enum_range(NULL::${column.type})) AS value`
      : `SELECT DISTINCT ${quoteIdentifier(strata.by)} AS value FROM ${qualified(root.table)}`;
  const { rows } = await client.query<StratumPlace>(
    `SELECT chosen.* FROM (${values} UNION ALL SELECT NULL) AS stratum
      CROSS JOIN LATERAL (
        SELECT ${placeOf(alias)}, ${by}::text AS stratum FROM ${from}
         WHERE (${by} = stratum.value OR stratum.value IS NULL AND ${by} IS NULL) AND (${conditionOf(root, alias)})
         ORDER BY ${orderOf(root, alias)} LIMIT ${root.limit}) AS chosen
      ORDER BY stratum.value`,
  );
  return shareOut(rows, strata.atLeast, root.limit);
}

/**
 * Shares `limit` out among strata: first what `atLeast` asks of each, then one of each other stratum, then one each in turn
 * while there are rows. Within a stratum the order given is kept.
 */
export function shareOut<Row extends { readonly stratum: string | null }>(
  rows: readonly Row[],
  atLeast: Readonly<Record<string, number>>,
  limit: number,
): Row[] {
  const strata = Map.groupBy(rows, (row) => row.stratum);
  const ranked = [...strata].flatMap(([stratum, members], position) =>
    members.map((row, index) => {
      const asked = stratum === null ? undefined : atLeast[stratum];
      const round = asked === undefined ? index + (index === 0 ? 0 : 1) : index < asked ? -1 : index - asked + 1;
      return { row, round, index, position };
    }),
  );
  return ranked
    .sort((left, right) => left.round - right.round || left.index - right.index || left.position - right.position)
    .slice(0, limit)
    .map(({ row }) => row);
}
