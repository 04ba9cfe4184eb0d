import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { notFound } from "../problem.ts";
import { noteWrite, readerFor } from "../recentWrite.ts";
import type { Services } from "../services.ts";
import { createToken, deleteToken, listTokens } from "../tokens.ts";
import { profileOf } from "./auth.ts";

const idParameter = z.object({ id: z.guid() });
const tokenBody = z.object({
  name: z.string().trim().min(1).max(100),
  scopes: z.array(z.string().regex(/^[a-z]+:[a-z]+$/)).max(20).default([]),
  days: z.int().min(1).max(365).default(90),
});

/** Kept for so long: the counts are the same for everybody. */
const figuresSeconds = 15;

interface Figures {
  readonly eventsByType: readonly { readonly type: string; readonly count: number }[];
  readonly openErrors: number;
  readonly activeWebhooks: number;
}

/** The person who is signed in: profile, dashboard, tokens, integrations; the audit log for those who may. */
export function accountRoutes(server: FastifyInstance, { database, cache, access, settings }: Services): void {
  server.get("/api/auth/me", async (request, reply) => reply.header("cache-control", "no-store").send(profileOf(await access.require(request))));

  server.get("/api/dashboard", async (request, reply) => {
    const principal = await access.require(request, "events:read");
    const reader = readerFor(request, database);
    const [figures, [unread]] = await Promise.all([
      cache.remembered<Figures>("dashboard:figures", figuresSeconds, async () => {
        const [eventsByType, [counts]] = await Promise.all([
          reader.read<{ type: string; count: number }>({ name: "events_by_type", text: "SELECT type, count(*)::integer AS count FROM events GROUP BY type ORDER BY 2 DESC, 1 LIMIT 20" }),
          reader.read<{ openErrors: number; activeWebhooks: number }>({
            name: "dashboard_counts",
            text: `SELECT (SELECT count(*)::integer FROM open_errors) AS "openErrors", (SELECT count(*)::integer FROM webhooks WHERE active) AS "activeWebhooks"`,
          }),
        ]);
        return { eventsByType, openErrors: counts?.openErrors ?? 0, activeWebhooks: counts?.activeWebhooks ?? 0 };
      }),
      reader.read<{ unread: number }>({
        name: "count_unread",
        text: "SELECT count(*)::integer AS unread FROM notifications WHERE user_id = $1 AND read_at IS NULL",
        values: [principal.id],
      }),
    ]);
    return reply.header("cache-control", "no-store").send({ role: principal.role, ...figures, unread: unread?.unread ?? 0 });
  });

  server.get("/api/tokens", async (request, reply) => {
    const { id } = await access.require(request, "tokens:manage");
    return reply.header("cache-control", "no-store").send({ data: await listTokens(readerFor(request, database), id) });
  });
  server.post("/api/tokens", async (request, reply) => {
    const { id } = await access.require(request, "tokens:manage");
    const token = await createToken(database, id, tokenBody.parse(request.body));
    noteWrite(reply);
    return reply.code(201).header("cache-control", "no-store").send(token);
  });
  server.delete("/api/tokens/:id", async (request, reply) => {
    const principal = await access.require(request, "tokens:manage");
    if (!(await deleteToken(database, principal.id, idParameter.parse(request.params).id))) throw notFound();
    noteWrite(reply);
    return reply.code(204).send();
  });

  server.get("/api/audit", async (request, reply) => {
    await access.require(request, "audit:read");
    const data = await readerFor(request, database).read({
      name: "list_audit",
      text: `SELECT id, occurred_at AS "occurredAt", actor_id AS "actorId", action FROM audit_log ORDER BY occurred_at DESC, id DESC LIMIT 50`,
    });
    return reply.header("cache-control", "no-store").send({ data });
  });

  // Without the switch the route is not there. What an integration is configured with stays inside.
  if (!settings.features.integrations) return;
  server.get("/api/integrations", async (request, reply) => {
    const { id } = await access.require(request);
    const data = await readerFor(request, database).read({
      name: "list_integrations",
      text: "SELECT id, kind, enabled FROM integrations WHERE owner_id = $1 ORDER BY kind",
      values: [id],
    });
    return reply.header("cache-control", "no-store").send({ data });
  });
}
