import { randomInt } from "node:crypto";
import type { Database } from "./database.ts";

export interface Order {
  readonly number: string;
  readonly status: string;
  readonly storyTitle: string | null;
  readonly storySlug: string | null;
  readonly amountCents: number;
  readonly currency: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

interface OrderRow {
  readonly number: string;
  readonly status: string;
  readonly storyTitle: string | null;
  readonly storySlug: string | null;
  readonly amountCents: number;
  readonly currency: string;
  readonly createdAt: Date;
}

const columns = `o."number", o."status"::text AS status, s."title" AS "storyTitle",
  CASE WHEN s."status" = 'PUBLISHED' THEN s."slug" END AS "storySlug", o."amountCents", o."currency", o."createdAt"`;

/** Somebody's orders, the newest first. */
export async function ordersOf(database: Database, userId: string, limit: number): Promise<Order[]> {
  const rows = await database.read<OrderRow>({
    name: "orders_of_user",
    text: `SELECT ${columns} FROM "Order" o LEFT JOIN "Story" s ON s."id" = o."storyId"
            WHERE o."userId" = $1 ORDER BY o."createdAt" DESC, o."id" DESC LIMIT $2`,
    values: [userId, limit],
  });
  return rows.map(orderOf);
}

/** Places an order at the story's price of this moment; nothing when there is no such story to buy. */
export async function placeOrder(
  database: Database,
  order: { readonly userId: string; readonly storySlug: string; readonly copies: number },
): Promise<Order | undefined> {
  const number = orderNumber(new Date());
  return database.transaction(async (transaction) => {
    const [story] = await transaction.query<{ id: string }>({
      name: "lock_story",
      text: `SELECT "id" FROM "Story" WHERE "slug" = $1 AND "status" = 'PUBLISHED' FOR SHARE`,
      values: [order.storySlug],
    });
    if (story === undefined) return undefined;
    const [row] = await transaction.query<OrderRow>({
      name: "insert_order",
      text: `WITH o AS (
               INSERT INTO "Order" ("number", "userId", "storyId", "amountCents")
               SELECT $1, $2, s."id", s."priceCents" * $4::integer FROM "Story" s WHERE s."id" = $3
               RETURNING *)
             SELECT ${columns} FROM o LEFT JOIN "Story" s ON s."id" = o."storyId"`,
      values: [number, order.userId, story.id, order.copies],
    });
    return row && orderOf(row);
  });
}

// Without letters and digits that are easily mistaken for each other.
const alphabet = "23456789ABCDEFGHJKMNPQRSTVWXYZ";

function orderNumber(now: Date): string {
  const random = Array.from({ length: 8 }, () => alphabet[randomInt(alphabet.length)]).join("");
  return `ORD-${now.toISOString().slice(0, 10).replaceAll("-", "")}-${random}`;
}

function orderOf(row: OrderRow): Order {
  return {
    number: row.number,
    status: row.status,
    storyTitle: row.storyTitle,
    storySlug: row.storySlug,
    amountCents: row.amountCents,
    currency: row.currency,
    createdAt: row.createdAt.toISOString(),
  };
}
