import type { Client } from "pg";
import { rowAlias } from "../../masking/compile.ts";
import { textSql } from "../../masking/textSql.ts";
import { quoteIdentifier, quoteLiteral } from "../../postgres/identifier.ts";
import { fromLeaf } from "../catalog.ts";
import type { Column, Leaf, Table } from "../catalog.ts";
import { sourceFault } from "../sourceFault.ts";
import { detectorNames, detectors } from "./detectors.ts";
import type { Detector } from "./detectors.ts";

/** What some rows of one column are like: counts, never a value. */
export interface Content {
  /** Values looked at, NULL and empty ones left out. */
  readonly values: number;
  /** Different ones among them; each counts once below. */
  readonly distinct: number;
  readonly averageWords: number;
  readonly longest: number;
  readonly hits: Readonly<Record<Detector, number>>;
}

/** One place of a JSON column, as masking.yaml writes it, and what stands there. */
export interface JsonContent extends Content {
  readonly path: string;
  /** Documents among those looked at. */
  readonly documents: number;
  readonly strings: number;
  readonly numbers: number;
}

const sampledRows = 1_000;
const sampledLeaves = 4;
/** A block holds eight kilobytes; wide rows need more blocks, and two hundred are read in a moment. */
const sampledBlocks = 200;
const blockBytes = 8_192;
/** Of a value; an original may be a whole book. */
const longestLook = 2_000;
const deepestPath = 8;
const mostPaths = 200;

/** Some rows of a table's biggest relations, `columns` of them. */
function sampleSql(table: Table, columns: string, condition: string): string {
  const leaves = table.leaves.toSorted((left, right) => right.sizeBytes - left.sizeBytes).slice(0, sampledLeaves);
  const each = Math.ceil(sampledRows / Math.max(1, leaves.length));
  return leaves.map((leaf) => `(SELECT ${columns} FROM ${fromLeaf(leaf)} AS ${rowAlias} ${shareOf(leaf)} WHERE ${condition} LIMIT ${each})`).join(" UNION ALL ");
}

function shareOf({ sizeBytes }: Leaf): string {
  const blocks = sizeBytes / blockBytes;
  return blocks <= sampledBlocks ? "" : `TABLESAMPLE SYSTEM (${Math.max(0.001, (100 * sampledBlocks) / blocks).toFixed(4)}) REPEATABLE (1)`;
}

/** Aggregates over rows of `v`, one for each different value. */
const counts = `count(*)::float8 AS distinct, coalesce(sum(n), 0)::float8 AS values,
  coalesce(avg(cardinality(regexp_split_to_array(v, '\\s+'))), 0)::float8 AS "averageWords", coalesce(max(length(v)), 0)::float8 AS longest,
  json_build_object(${detectorNames.map((name) => `${quoteLiteral(name)}, count(*) FILTER (WHERE ${detectors[name]})`).join(", ")}) AS hits`;

/** Looks at some values of a column as text, elements of an array each by itself. */
export async function contentOf(client: Client, table: Table, column: Column): Promise<Content> {
  const own = `${rowAlias}.${quoteIdentifier(column.name)}`;
  const value = textSql(column.family === "array" ? `unnest(${own})` : own);
  const sql = `SELECT ${counts} FROM (
    SELECT v, count(*) AS n FROM (SELECT trim(left(value, ${longestLook})) AS v FROM (${sampleSql(table, `${value} AS value`, `${own} IS NOT NULL`)}) AS sampled(value)) AS cut
     WHERE v <> '' GROUP BY v OFFSET 0) AS looked`;
  const { rows } = await client.query<Content>(sql).catch((cause: unknown) => {
    throw sourceFault(cause, `looking at ${table.key}.${column.name}`);
  });
  const [content] = rows;
  if (content === undefined) throw new Error(`no aggregates of ${table.key}.${column.name}`);
  return content;
}

/** Keys that look like names that a program gave, not like data. */
const plainKey = String.raw`^[A-Za-z_$][A-Za-z0-9_$ .-]{0,62}$`;
const dataLikeKey = String.raw`[0-9]{4,}|[0-9a-f]{12,}`;

/**
 * Looks at every place of some JSON documents. A key that only one document in fifty has may be data itself and is
 * left out, as is one that does not look like a name.
 */
export async function jsonContentOf(client: Client, table: Table, column: Column): Promise<JsonContent[]> {
  const own = `${rowAlias}.${quoteIdentifier(column.name)}`;
  const step = `CASE WHEN e.key ~ '[.\\[\\]]' THEN '"' || e.key || '"' ELSE e.key END`;
  const sql = `
    WITH RECURSIVE documents AS MATERIALIZED (
      SELECT row_number() OVER () AS document, value FROM (${sampleSql(table, `${own}::jsonb AS value`, `${own} IS NOT NULL`)}) AS sampled(value)),
    tree(document, path, value, depth) AS (
      SELECT document, '', value, 0 FROM documents
      UNION ALL
      SELECT tree.document, tree.path || below.step, below.value, tree.depth + 1
        FROM tree CROSS JOIN LATERAL (
          SELECT CASE WHEN tree.path = '' THEN '' ELSE '.' END || ${step} AS step, e.value
            FROM jsonb_each(CASE WHEN jsonb_typeof(tree.value) = 'object' THEN tree.value ELSE '{}'::jsonb END) AS e(key, value)
           WHERE e.key ~ ${quoteLiteral(plainKey)} AND e.key !~ ${quoteLiteral(dataLikeKey)}
          UNION ALL
          SELECT '[]', a.value FROM jsonb_array_elements(CASE WHEN jsonb_typeof(tree.value) = 'array' THEN tree.value ELSE '[]'::jsonb END) AS a(value)
           LIMIT 100) AS below
       WHERE tree.depth < ${deepestPath}),
    leaves AS MATERIALIZED (
      SELECT path, document, jsonb_typeof(value) AS type, trim(left(value #>> '{}', ${longestLook})) AS v
        FROM tree WHERE jsonb_typeof(value) NOT IN ('object', 'array')),
    places AS (
      SELECT path, count(DISTINCT document) AS documents, count(*) FILTER (WHERE type = 'string') AS strings, count(*) FILTER (WHERE type = 'number') AS numbers
        FROM leaves GROUP BY path HAVING count(DISTINCT document) * 50 >= (SELECT count(*) FROM documents) OR (SELECT count(*) FROM documents) < 50
       ORDER BY 2 DESC, 1 LIMIT ${mostPaths})
    SELECT places.path, places.documents::float8 AS documents, places.strings::float8 AS strings, places.numbers::float8 AS numbers, looked.*
      FROM places CROSS JOIN LATERAL (
        SELECT ${counts} FROM (SELECT v, count(*) AS n FROM leaves WHERE leaves.path = places.path AND leaves.type = 'string' AND v <> '' GROUP BY v OFFSET 0) AS values_of) AS looked
     ORDER BY places.path`;
  const { rows } = await client.query<JsonContent>(sql).catch((cause: unknown) => {
    throw sourceFault(cause, `looking at the keys of ${table.key}.${column.name}`);
  });
  return rows;
}
