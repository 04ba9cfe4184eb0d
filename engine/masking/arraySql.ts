import { keyedHashSql } from "./hashSql.ts";
import { textSql } from "./textSql.ts";

export interface ArrayMask {
  /** The array itself. */
  readonly own: string;
  readonly type: string;
  readonly elementType: string;
  readonly domain: string;
  /** The elements' masks as SQL, from an element and its hash; neither is NULL. */
  mask(value: string, hash: string): string;
}

/**
 * SQL of an array masked element by element, in their order; NULL elements stay. One of several dimensions is written
 * out with its brackets again, since the server unnests it flat.
 */
export function arraySql({ own, type, elementType, domain, mask }: ArrayMask): string {
  const element = `CAST(CASE WHEN e.value IS NULL THEN NULL ELSE ${mask("e.value", "h.hash")} END AS ${elementType})`;
  const elements = `unnest(${own}) WITH ORDINALITY AS e(value, position)
      CROSS JOIN LATERAL (SELECT ${keyedHashSql(domain, textSql("e.value"))} AS hash OFFSET 0) AS h`;
  const flat = `SELECT array_agg(${element} ORDER BY e.position) FROM ${elements}`;
  const written = `coalesce('"' || replace(replace(${element}::text, '\\', '\\\\'), '"', '\\"') || '"', 'NULL')`;
  // How many brackets open before, or close after, an element: one for each dimension whose block begins or ends there.
  const brackets = (position: string): string => `(SELECT count(*)::int FROM generate_series(1, array_ndims(${own})) AS d
    WHERE mod(${position}, (SELECT round(exp(sum(ln(array_length(${own}, l)))))::bigint FROM generate_series(d, array_ndims(${own})) AS l)) = 0)`;
  const nested = `SELECT string_agg(repeat('{', ${brackets("e.position - 1")}) || ${written} || repeat('}', ${brackets("e.position")}), ',' ORDER BY e.position) FROM ${elements}`;
  return `CAST(CASE WHEN ${own} IS NULL THEN NULL WHEN array_ndims(${own}) > 1 THEN CAST((${nested}) AS ${type})
    ELSE CAST(coalesce((${flat}), '{}') AS ${type}) END AS ${type})`;
}
