import { createHash, randomUUID } from "node:crypto";
import type { Database, Reader } from "./database.ts";
import { afterSql, pageOf, positionSql, readCursor, type Page } from "./page.ts";

export const errorLevels = ["warning", "error", "fatal"] as const;
export const errorStatuses = ["open", "resolved", "ignored"] as const;

/** Errors that are the same. */
export interface ErrorGroup {
  readonly id: string;
  readonly title: string;
  readonly level: (typeof errorLevels)[number];
  readonly status: (typeof errorStatuses)[number];
  readonly occurrences: number;
  /** ISO 8601, UTC. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly resolvedAt: string | null;
}

interface GroupRow extends Omit<ErrorGroup, "occurrences" | "firstSeen" | "lastSeen" | "resolvedAt"> {
  readonly occurrences: string;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
  readonly resolvedAt: Date | null;
  readonly position: string;
}

const columns = `id, title, level::text AS level, status::text AS status, occurrences, first_seen AS "firstSeen", last_seen AS "lastSeen",
  resolved_at AS "resolvedAt", ${positionSql("last_seen")}`;

export interface NewError {
  readonly message: string;
  readonly level: (typeof errorLevels)[number];
  readonly stack?: string | undefined;
  readonly context: Readonly<Record<string, unknown>>;
}

/** Notes an error with those that are the same; one that was resolved is open again. */
export async function reportError(database: Database, error: NewError, from: { readonly userId: string | undefined; readonly address: string }): Promise<ErrorGroup> {
  const [group] = await database.write<GroupRow>({
    name: "report_error",
    text: `WITH grouped AS (
             INSERT INTO error_groups (fingerprint, title, level, occurrences) VALUES ($1, $2, $3::error_level, 1)
             ON CONFLICT (fingerprint) DO UPDATE
               SET occurrences = error_groups.occurrences + 1, last_seen = now(), level = greatest(error_groups.level, excluded.level),
                   status = CASE error_groups.status WHEN 'resolved' THEN 'open' ELSE error_groups.status END,
                   resolved_at = CASE error_groups.status WHEN 'resolved' THEN NULL ELSE error_groups.resolved_at END,
                   resolved_by = CASE error_groups.status WHEN 'resolved' THEN NULL ELSE error_groups.resolved_by END
             RETURNING *
           ), reported AS (
             INSERT INTO error_reports (id, group_id, user_id, message, stack, context, client_ip)
             SELECT $4::uuid, id, $5::uuid, $6, $7, $8::jsonb, $9::inet FROM grouped
           )
           SELECT ${columns} FROM grouped`,
    values: [
      fingerprintOf(error.message),
      titleOf(error.message),
      error.level,
      randomUUID(),
      from.userId ?? null,
      error.message,
      error.stack ?? null,
      JSON.stringify(error.context),
      from.address,
    ],
  });
  if (group === undefined) throw new Error("INSERT … RETURNING gave no row");
  return groupOf(group);
}

export interface ErrorFilter {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly status?: ErrorGroup["status"] | undefined;
}

/** Groups of errors, the one last seen first. */
export async function listErrors(reader: Reader, { limit, cursor, status }: ErrorFilter): Promise<Page<ErrorGroup>> {
  const position = readCursor(cursor);
  const rows = await reader.read<GroupRow>({
    name: "list_errors",
    text: `SELECT ${columns} FROM error_groups WHERE ($3::error_status IS NULL OR status = $3::error_status) AND ${afterSql("last_seen", "bigint", 1)}
            ORDER BY last_seen DESC, id DESC LIMIT $4`,
    values: [position?.microseconds ?? null, position?.id ?? null, status ?? null, limit + 1],
  });
  return pageOf(rows, limit, groupOf);
}

/** One group with its latest reports. */
export async function errorById(reader: Reader, id: string): Promise<(ErrorGroup & { readonly reports: readonly unknown[] }) | undefined> {
  const [[row], reports] = await Promise.all([
    reader.read<GroupRow>({ name: "error_by_id", text: `SELECT ${columns} FROM error_groups WHERE id = $1`, values: [id] }),
    reader.read({
      name: "reports_of_error",
      text: `SELECT id, message, stack, context, occurred_at AS "occurredAt" FROM error_reports WHERE group_id = $1 ORDER BY occurred_at DESC LIMIT 10`,
      values: [id],
    }),
  ]);
  return row && { ...groupOf(row), reports };
}

/** The group as it is then; nothing when there is none. To resolve it twice changes nothing. */
export async function resolveError(database: Database, id: string, userId: string): Promise<ErrorGroup | undefined> {
  const [row] = await database.write<GroupRow>({
    name: "resolve_error",
    text: `UPDATE error_groups
              SET status = 'resolved', resolved_by = CASE status WHEN 'resolved' THEN resolved_by ELSE $2::uuid END, resolved_at = coalesce(resolved_at, now())
            WHERE id = $1 RETURNING ${columns}`,
    values: [id, userId],
  });
  return row && groupOf(row);
}

/** The same for messages that differ in numbers, ids and quoted words alone. */
export function fingerprintOf(message: string): string {
  const shape = titleOf(message)
    .toLowerCase()
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "#")
    .replaceAll(/\b[0-9a-f]{12,}\b|\d+/g, "#")
    .replaceAll(/"[^"]*"|'[^']*'/g, "“”");
  return createHash("sha256").update(shape).digest("hex");
}

function titleOf(message: string): string {
  return (message.split("\n", 1)[0] ?? "").trim().slice(0, 200) || "(no message)";
}

function groupOf({ id, title, level, status, occurrences, firstSeen, lastSeen, resolvedAt }: GroupRow): ErrorGroup {
  return {
    id,
    title,
    level,
    status,
    occurrences: Number(occurrences),
    firstSeen: firstSeen.toISOString(),
    lastSeen: lastSeen.toISOString(),
    resolvedAt: resolvedAt?.toISOString() ?? null,
  };
}
