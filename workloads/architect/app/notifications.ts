import type { Database, Reader } from "./database.ts";
import { afterSql, pageOf, positionSql, readCursor, type Page } from "./page.ts";

export const channels = ["in_app", "email", "slack"] as const;

export interface Notification {
  readonly id: string;
  readonly eventId: string | null;
  readonly channel: (typeof channels)[number];
  readonly title: string;
  readonly body: string | null;
  /** ISO 8601, UTC. */
  readonly readAt: string | null;
  readonly createdAt: string;
}

interface NotificationRow extends Omit<Notification, "readAt" | "createdAt"> {
  readonly readAt: Date | null;
  readonly createdAt: Date;
  readonly position: string;
}

const columns = `id, event_id AS "eventId", channel::text AS channel, title, body, read_at AS "readAt", created_at AS "createdAt", ${positionSql("created_at")}`;

/** Somebody's notifications, the newest first, and how many are unread. */
export async function listNotifications(
  reader: Reader,
  userId: string,
  { limit, cursor, unread }: { readonly limit: number; readonly cursor?: string | undefined; readonly unread: boolean },
): Promise<Page<Notification> & { readonly unread: number }> {
  const position = readCursor(cursor);
  const [rows, [counted]] = await Promise.all([
    reader.read<NotificationRow>({
      name: "list_notifications",
      text: `SELECT ${columns} FROM notifications WHERE user_id = $3 AND (NOT $4::boolean OR read_at IS NULL) AND ${afterSql("created_at", "bigint", 1)}
              ORDER BY created_at DESC, id DESC LIMIT $5`,
      values: [position?.microseconds ?? null, position?.id ?? null, userId, unread, limit + 1],
    }),
    reader.read<{ unread: string }>({
      name: "count_unread",
      text: "SELECT count(*) AS unread FROM notifications WHERE user_id = $1 AND read_at IS NULL",
      values: [userId],
    }),
  ]);
  return { ...pageOf(rows, limit, notificationOf), unread: Number(counted?.unread ?? 0) };
}

export interface NewNotification {
  readonly userId: string;
  readonly eventId?: string | undefined;
  readonly channel: Notification["channel"];
  readonly title: string;
  readonly body?: string | undefined;
}

/** Nothing when there is no such user or event. On staging nothing leaves the database, whatever the channel. */
export async function createNotification(database: Database, { userId, eventId, channel, title, body }: NewNotification): Promise<Notification | undefined> {
  const [row] = await database.write<NotificationRow>({
    name: "insert_notification",
    text: `INSERT INTO notifications (user_id, event_id, channel, title, body)
           SELECT u.id, $2::uuid, $3::notification_channel, $4, $5 FROM users u
            WHERE u.id = $1 AND ($2::uuid IS NULL OR EXISTS (SELECT FROM events WHERE id = $2::uuid)) RETURNING ${columns}`,
    values: [userId, eventId ?? null, channel, title, body ?? null],
  });
  return row && notificationOf(row);
}

/** Somebody's own alone; read twice, it keeps the time of the first. */
export async function markRead(database: Database, userId: string, id: string): Promise<Notification | undefined> {
  const [row] = await database.write<NotificationRow>({
    name: "read_notification",
    text: `UPDATE notifications SET read_at = coalesce(read_at, now()) WHERE id = $1 AND user_id = $2 RETURNING ${columns}`,
    values: [id, userId],
  });
  return row && notificationOf(row);
}

/** True when there was one to remove, of his own. */
export async function deleteNotification(database: Database, userId: string, id: string): Promise<boolean> {
  const removed = await database.write({ name: "delete_notification", text: "DELETE FROM notifications WHERE id = $1 AND user_id = $2 RETURNING id", values: [id, userId] });
  return removed.length > 0;
}

function notificationOf({ id, eventId, channel, title, body, readAt, createdAt }: NotificationRow): Notification {
  return { id, eventId, channel, title, body, readAt: readAt?.toISOString() ?? null, createdAt: createdAt.toISOString() };
}
