import { randomUUID } from "node:crypto";
import type { Cache } from "./cache.ts";
import type { Database, Reader } from "./database.ts";
import { afterSql, pageOf, positionSql, readCursor, type Page } from "./page.ts";

export interface Event {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly actorId: string | null;
  readonly payload: unknown;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

interface EventRow extends Omit<Event, "createdAt"> {
  readonly createdAt: Date;
  readonly position: string;
}

const columns = `id, type, source, actor_id AS "actorId", payload, created_at AS "createdAt", ${positionSql("created_at")}`;

export interface EventFilter {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly type?: string | undefined;
}

/** Events, the newest first. */
export async function listEvents(reader: Reader, { limit, cursor, type }: EventFilter): Promise<Page<Event>> {
  const position = readCursor(cursor);
  const rows = await reader.read<EventRow>({
    name: "list_events",
    text: `SELECT ${columns} FROM events WHERE ($3::text IS NULL OR type = $3) AND ${afterSql("created_at", "uuid", 1)}
            ORDER BY created_at DESC, id DESC LIMIT $4`,
    values: [position?.microseconds ?? null, position?.id ?? null, type ?? null, limit + 1],
  });
  return pageOf(rows, limit, eventOf);
}

/** Where events are, and for how long they are remembered. */
export interface EventStore {
  readonly database: Database;
  readonly cache: Cache;
  readonly cacheTtlSeconds: number;
}

/** One event, from the cache where it has it: an event never changes. */
export async function eventById({ database, cache, cacheTtlSeconds }: EventStore, reader: Reader, id: string): Promise<Event | undefined> {
  const query = { name: "event_by_id", text: `SELECT ${columns} FROM events WHERE id = $1`, values: [id] };
  return cache.remembered(keyOf(id), cacheTtlSeconds, async () => {
    const [row] = await reader.read<EventRow>(query);
    // What a replica does not have, it may not have yet.
    const [found] = row === undefined && reader !== database.primary ? await database.primary.read<EventRow>(query) : [row];
    return found && eventOf(found);
  });
}

export interface NewEvent {
  readonly type: string;
  readonly source: string;
  readonly payload: unknown;
}

/** Takes an event in, and puts it before every webhook that wants it. */
export async function createEvent(database: Database, actorId: string, event: NewEvent, withWebhooks: boolean): Promise<{ readonly event: Event; readonly deliveries: number }> {
  const [row] = await database.write<EventRow & { readonly deliveries: number }>({
    name: "insert_event",
    text: `WITH event AS (
             INSERT INTO events (id, type, source, actor_id, payload) VALUES ($1, $2, $3, $4, $5::jsonb) RETURNING *
           ), waiting AS (
             INSERT INTO webhook_deliveries (webhook_id, event_id)
             SELECT w.id, event.id FROM webhooks w, event WHERE w.active AND w.events && $6::text[] RETURNING id
           )
           SELECT ${columns}, (SELECT count(*)::integer FROM waiting) AS deliveries FROM event`,
    values: [randomUUID(), event.type, event.source, actorId, JSON.stringify(event.payload), withWebhooks ? patternsOf(event.type) : []],
  });
  if (row === undefined) throw new Error("INSERT … RETURNING gave no row");
  return { event: eventOf(row), deliveries: row.deliveries };
}

/** True when there was one to remove. */
export async function deleteEvent({ database, cache, cacheTtlSeconds }: EventStore, id: string): Promise<boolean> {
  const removed = await database.write({ name: "delete_event", text: "DELETE FROM events WHERE id = $1 RETURNING id", values: [id] });
  await cache.forget(keyOf(id), cacheTtlSeconds);
  return removed.length > 0;
}

/** What a webhook may have asked for to be told of this type: `a.b.c` → `a.b.c`, `a.b.*`, `a.*`, `*`. */
export function patternsOf(type: string): string[] {
  const words = type.split(".");
  return [type, ...words.slice(0, -1).map((_, index) => `${words.slice(0, words.length - 1 - index).join(".")}.*`), "*"];
}

function keyOf(id: string): string {
  return `event:${id}`;
}

function eventOf({ id, type, source, actorId, payload, createdAt }: EventRow): Event {
  return { id, type, source, actorId, payload, createdAt: createdAt.toISOString() };
}
