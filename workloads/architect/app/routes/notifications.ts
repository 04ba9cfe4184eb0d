import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { channels, createNotification, deleteNotification, listNotifications, markRead } from "../notifications.ts";
import { pageQuery } from "../page.ts";
import { notAllowed, notFound } from "../problem.ts";
import { noteWrite, readerFor } from "../recentWrite.ts";
import type { Services } from "../services.ts";

const listQuery = pageQuery.extend({ unread: z.stringbool().default(false) });
const idParameter = z.object({ id: z.string().regex(/^\d{1,18}$/, "must be a number") });
const notificationBody = z.object({
  /** Default: oneself. */
  userId: z.guid().optional(),
  eventId: z.guid().optional(),
  channel: z.enum(channels).default("in_app"),
  title: z.string().trim().min(1).max(200),
  body: z.string().max(5_000).optional(),
});

/** Everybody's own notifications; to send one to somebody else takes a permission. */
export function notificationRoutes(server: FastifyInstance, { database, access }: Services): void {
  server.get("/api/notifications", async (request, reply) => {
    const { id } = await access.require(request);
    return reply.header("cache-control", "no-store").send(await listNotifications(readerFor(request, database), id, listQuery.parse(request.query)));
  });

  server.post("/api/notifications", async (request, reply) => {
    const principal = await access.require(request);
    const body = notificationBody.parse(request.body);
    const userId = body.userId ?? principal.id;
    if (userId !== principal.id && !principal.permissions.has("notifications:send")) throw notAllowed("notifications:send");
    const notification = await createNotification(database, { ...body, userId });
    if (notification === undefined) throw notFound();
    noteWrite(reply);
    return reply.code(201).send(notification);
  });

  server.post("/api/notifications/:id/read", async (request, reply) => {
    const principal = await access.require(request);
    const notification = await markRead(database, principal.id, idParameter.parse(request.params).id);
    if (notification === undefined) throw notFound();
    noteWrite(reply);
    return reply.send(notification);
  });

  server.delete("/api/notifications/:id", async (request, reply) => {
    const principal = await access.require(request);
    if (!(await deleteNotification(database, principal.id, idParameter.parse(request.params).id))) throw notFound();
    noteWrite(reply);
    return reply.code(204).send();
  });
}
