import { z } from "zod";
import { Problem } from "./problem.ts";

/** Where a list goes on: the place of its last row in time, and its id. Exact to the microsecond, which a `Date` is not. */
export interface Position {
  readonly microseconds: string;
  readonly id: string;
}

export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(200).optional(),
});

/** SQL of a row's place: `positionSql("created_at")`. */
export function positionSql(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000000)::bigint::text AS position`;
}

/** SQL that holds for rows after the position given as parameters `$first` and `$first + 1`; for all when they are NULL. */
export function afterSql(column: string, idType: "uuid" | "bigint", first: number): string {
  return `($${first}::bigint IS NULL OR (${column}, id) < (timestamptz 'epoch' + $${first}::bigint * interval '1 microsecond', $${first + 1}::${idType}))`;
}

/** @throws Problem (400) for a cursor that is none of ours. */
export function readCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  const [, microseconds, id] = /^(\d{1,17})\.([0-9a-f-]{1,36})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  if (microseconds === undefined || id === undefined) throw new Problem(400, "bad_request", "cursor: must be one that a page has given.");
  return { microseconds, id };
}

export interface Page<Item> {
  readonly data: readonly Item[];
  /** Asks for the next page; null on the last. */
  readonly next: string | null;
}

/** A page of `limit` out of up to `limit + 1` rows. */
export function pageOf<Row extends { readonly id: string; readonly position: string }, Item>(rows: readonly Row[], limit: number, itemOf: (row: Row) => Item): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last !== undefined ? Buffer.from(`${last.position}.${last.id}`).toString("base64url") : null;
  return { data: shown.map(itemOf), next };
}
