import type { Client } from "pg";
import { quoteIdentifier } from "../../postgres/identifier.ts";
import type { Expectations } from "../expectations.ts";
import type { Table } from "../state/tables.ts";
import type { TrafficQuery } from "./kinds.ts";

const mostKeys = 200;
const mostDerivedTables = 4;

/** The workload's declared traffic with its keys read from a clone, or one derived from the tables when it declares none. */
export async function trafficQueries(
  client: Client,
  expectations: Expectations,
  tables: readonly Table[],
  touched: ReadonlySet<string>,
  role: string,
): Promise<TrafficQuery[]> {
  const { traffic } = expectations;
  if (traffic === undefined) return derivedQueries(client, tables, touched, role);
  const queries: TrafficQuery[] = [];
  for (const { name, sql, keys } of traffic.readers) {
    queries.push({ name, kind: "read", sql, keys: keys === undefined ? undefined : await readKeys(client, keys), readBack: undefined });
  }
  for (const { name, sql, keys, readBack } of traffic.writers) {
    queries.push({ name, kind: "write", sql, keys: keys === undefined ? undefined : await readKeys(client, keys), readBack });
  }
  return queries;
}

async function readKeys(client: Client, sql: string): Promise<string[]> {
  const { rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
  return rows.slice(0, mostKeys).map((row) => String(row[0]));
}

/**
 * For each table with a key of one column: a read of a row, and a write that leaves it as it is. They feel every lock,
 * and name no column but the key, so that a column that goes away on purpose breaks nothing.
 */
async function derivedQueries(client: Client, tables: readonly Table[], touched: ReadonlySet<string>, role: string): Promise<TrafficQuery[]> {
  const keyed = tables.filter(({ key }) => key.length === 1);
  const chosen = [...keyed.filter(({ name }) => touched.has(name)), ...keyed.filter(({ name }) => !touched.has(name))].slice(0, mostDerivedTables);
  const queries: TrafficQuery[] = [];
  for (const { name, key, columns } of chosen) {
    const column = quoteIdentifier(key[0] ?? "");
    const type = columns.find((candidate) => candidate.name === key[0])?.type ?? "text";
    const keys = await readKeys(client, `SELECT ${column}::text FROM ${name} LIMIT ${mostKeys}`);
    if (keys.length === 0) continue;
    const { rows } = await client.query<{ read: boolean; write: boolean }>(
      "SELECT has_table_privilege($1, $2::regclass, 'SELECT') AS read, has_table_privilege($1, $2::regclass, 'SELECT') AND has_table_privilege($1, $2::regclass, 'UPDATE') AS write",
      [role, name],
    );
    if (rows[0]?.read === true) {
      queries.push({ name: `read ${name}`, kind: "read", sql: `SELECT ${column} FROM ${name} WHERE ${column} = $1::${type}`, keys, readBack: undefined });
    }
    const { rows: identity } = await client.query("SELECT FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2 AND attidentity = 'a'", [name, key[0]]);
    if (rows[0]?.write === true && identity.length === 0) {
      queries.push({ name: `write ${name}`, kind: "write", sql: `UPDATE ${name} SET ${column} = ${column} WHERE ${column} = $1::${type}`, keys, readBack: undefined });
    }
  }
  return queries;
}
