import type { Database } from "./database.ts";

export interface StorySummary {
  readonly id: string;
  readonly slug: string;
  readonly title: string;
  /** The first 280 characters of the text. */
  readonly excerpt: string;
  readonly author: string | null;
  readonly priceCents: number;
  readonly tags: readonly string[];
  /** ISO 8601, UTC. */
  readonly publishedAt: string;
  readonly words: number;
}

export interface Story extends StorySummary {
  readonly body: string;
}

export interface StoryPage {
  readonly data: readonly StorySummary[];
  readonly page: number;
  readonly limit: number;
  readonly total: number;
  readonly pages: number;
}

interface StoryRow {
  readonly id: string;
  readonly slug: string;
  readonly title: string;
  readonly excerpt: string;
  readonly author: string | null;
  readonly priceCents: number;
  readonly tags: string[];
  readonly publishedAt: Date;
  readonly words: number;
  readonly body: string;
}

// Words by their blanks: exact enough for a reading time, and cheap on very long texts.
const columns = `s."id", s."slug", s."title", left(s."body", 280) AS excerpt, nullif(btrim(u."name"), '') AS author,
  s."priceCents", array_remove(s."tags", '') AS tags, s."publishedAt",
  length(s."body") - length(replace(s."body", ' ', '')) + 1 AS words`;

/** Published stories, the newest first. */
export async function listStories(
  database: Database,
  options: { readonly page: number; readonly limit: number; readonly tag?: string | undefined },
): Promise<StoryPage> {
  const { page, limit, tag } = options;
  const where = `s."status" = 'PUBLISHED' AND ($1::text IS NULL OR s."tags" @> ARRAY[$1::text])`;
  const [counted, rows] = await Promise.all([
    database.read<{ total: string }>({
      name: "count_stories",
      text: `SELECT count(*) AS total FROM "Story" s WHERE ${where}`,
      values: [tag ?? null],
    }),
    database.read<StoryRow>({
      name: "list_stories",
      text: `SELECT ${columns} FROM "Story" s LEFT JOIN "User" u ON u."id" = s."authorId"
              WHERE ${where} ORDER BY s."publishedAt" DESC, s."id" LIMIT $2 OFFSET $3`,
      values: [tag ?? null, limit, (page - 1) * limit],
    }),
  ]);
  const total = Number(counted[0]?.total ?? 0);
  return { data: rows.map(summaryOf), page, limit, total, pages: Math.ceil(total / limit) };
}

export async function storyBySlug(database: Database, slug: string): Promise<Story | undefined> {
  const [row] = await database.read<StoryRow>({
    name: "story_by_slug",
    text: `SELECT ${columns}, s."body" FROM "Story" s LEFT JOIN "User" u ON u."id" = s."authorId"
            WHERE s."slug" = $1 AND s."status" = 'PUBLISHED'`,
    values: [slug],
  });
  return row && { ...summaryOf(row), body: row.body };
}

/** Tags of published stories, the most used first. */
export async function popularTags(database: Database, limit: number): Promise<string[]> {
  const rows = await database.read<{ tag: string }>({
    name: "popular_tags",
    text: `SELECT tag FROM "Story" s, unnest(s."tags") AS tag WHERE s."status" = 'PUBLISHED' AND btrim(tag) <> ''
            GROUP BY tag ORDER BY count(*) DESC, tag LIMIT $1`,
    values: [limit],
  });
  return rows.map((row) => row.tag);
}

function summaryOf(row: StoryRow): StorySummary {
  return {
    id: row.id,
    slug: row.slug,
    title: row.title,
    excerpt: row.excerpt.trim(),
    author: row.author,
    priceCents: row.priceCents,
    tags: row.tags,
    publishedAt: row.publishedAt.toISOString(),
    words: row.words,
  };
}
