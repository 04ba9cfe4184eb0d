import type { Database } from "./database.ts";

export interface ReadingEntry {
  readonly slug: string;
  readonly title: string;
  /** 0 to 100. */
  readonly progress: number;
  readonly isFavorite: boolean;
}

export interface Totals {
  readonly reading: number;
  readonly finished: number;
  readonly orders: number;
  readonly donatedCents: number;
}

/** What somebody reads, the latest first. */
export async function readingOf(database: Database, userId: string, limit: number): Promise<ReadingEntry[]> {
  const rows = await database.read<{ slug: string; title: string; progress: string; isFavorite: boolean }>({
    name: "reading_of_user",
    text: `SELECT s."slug", s."title", r."progress", r."isFavorite"
             FROM "UserStory" r JOIN "Story" s ON s."id" = r."storyId"
            WHERE r."userId" = $1 AND s."status" = 'PUBLISHED' ORDER BY r."lastReadAt" DESC NULLS LAST, s."id" LIMIT $2`,
    values: [userId, limit],
  });
  return rows.map((row) => ({ ...row, progress: Number(row.progress) }));
}

export async function totalsOf(database: Database, userId: string): Promise<Totals> {
  const [row] = await database.read<{ reading: string; finished: string; orders: string; donated: string }>({
    name: "totals_of_user",
    text: `SELECT (SELECT count(*) FROM "UserStory" WHERE "userId" = $1) AS reading,
                  (SELECT count(*) FROM "UserStory" WHERE "userId" = $1 AND "progress" = 100) AS finished,
                  (SELECT count(*) FROM "Order" WHERE "userId" = $1) AS orders,
                  (SELECT coalesce(sum("amountCents"), 0) FROM "Donation" WHERE "userId" = $1) AS donated`,
    values: [userId],
  });
  return {
    reading: Number(row?.reading ?? 0),
    finished: Number(row?.finished ?? 0),
    orders: Number(row?.orders ?? 0),
    donatedCents: Number(row?.donated ?? 0),
  };
}

/** Stories somebody wrote, of any status, the newest first. */
export async function writtenBy(
  database: Database,
  userId: string,
  limit: number,
): Promise<{ slug: string; title: string; status: string }[]> {
  return database.read({
    name: "written_by_user",
    text: `SELECT "slug", "title", "status"::text AS status FROM "Story" WHERE "authorId" = $1 ORDER BY "createdAt" DESC, "id" LIMIT $2`,
    values: [userId, limit],
  });
}

/** Users by role, for administrators. */
export async function usersByRole(database: Database): Promise<{ role: string; users: number }[]> {
  const rows = await database.read<{ role: string; users: string }>({
    name: "users_by_role",
    text: `SELECT "role"::text AS role, count(*) AS users FROM "User" GROUP BY "role" ORDER BY "role"`,
  });
  return rows.map((row) => ({ role: row.role, users: Number(row.users) }));
}
