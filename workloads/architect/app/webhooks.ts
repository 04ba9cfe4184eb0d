import { randomBytes } from "node:crypto";
import type { Database, Reader } from "./database.ts";

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly active: boolean;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

interface WebhookRow extends Omit<Webhook, "createdAt"> {
  readonly createdAt: Date;
}

export interface Delivery {
  readonly id: string;
  readonly eventId: string;
  readonly status: string;
  readonly attempts: number;
  readonly responseStatus: number | null;
  readonly error: string | null;
}

const columns = `id, url, events, active, created_at AS "createdAt"`;

export async function listWebhooks(reader: Reader, ownerId: string): Promise<Webhook[]> {
  const rows = await reader.read<WebhookRow>({
    name: "list_webhooks",
    text: `SELECT ${columns} FROM webhooks WHERE owner_id = $1 ORDER BY created_at DESC, id LIMIT 100`,
    values: [ownerId],
  });
  return rows.map(webhookOf);
}

/** The secret signs what is delivered; it is shown this once. */
export async function createWebhook(database: Database, ownerId: string, hook: { readonly url: string; readonly events: readonly string[] }): Promise<Webhook & { readonly secret: string }> {
  const secret = `whsec_${randomBytes(24).toString("base64url")}`;
  const [row] = await database.write<WebhookRow>({
    name: "insert_webhook",
    text: `INSERT INTO webhooks (owner_id, url, secret, events) VALUES ($1, $2, $3, $4::text[]) RETURNING ${columns}`,
    values: [ownerId, hook.url, secret, hook.events],
  });
  if (row === undefined) throw new Error("INSERT … RETURNING gave no row");
  return { ...webhookOf(row), secret };
}

export async function deleteWebhook(database: Database, ownerId: string, id: string): Promise<boolean> {
  const removed = await database.write({ name: "delete_webhook", text: "DELETE FROM webhooks WHERE id = $1 AND owner_id = $2 RETURNING id", values: [id, ownerId] });
  return removed.length > 0;
}

/** The latest deliveries of somebody's own webhook; nothing when it is not his. */
export async function deliveriesOf(reader: Reader, ownerId: string, id: string): Promise<Delivery[] | undefined> {
  const [[owned], deliveries] = await Promise.all([
    reader.read({ name: "own_webhook", text: "SELECT id FROM webhooks WHERE id = $1 AND owner_id = $2", values: [id, ownerId] }),
    reader.read<Delivery>({
      name: "deliveries_of_webhook",
      text: `SELECT id, event_id AS "eventId", status::text AS status, attempts, response_status AS "responseStatus", error
               FROM webhook_deliveries WHERE webhook_id = $1 ORDER BY id DESC LIMIT 20`,
      values: [id],
    }),
  ]);
  return owned && deliveries;
}

function webhookOf({ createdAt, ...rest }: WebhookRow): Webhook {
  return { ...rest, createdAt: createdAt.toISOString() };
}
