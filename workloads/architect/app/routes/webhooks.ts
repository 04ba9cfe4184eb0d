import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { notFound } from "../problem.ts";
import { noteWrite, readerFor } from "../recentWrite.ts";
import type { Services } from "../services.ts";
import { createWebhook, deleteWebhook, deliveriesOf, listWebhooks } from "../webhooks.ts";

const idParameter = z.object({ id: z.guid() });
const webhookBody = z.object({
  url: z.url({ protocol: /^https?$/ }).max(2_000),
  events: z.array(z.string().max(100).regex(/^(\*|[a-z]+(\.[a-z_]+)*(\.\*)?)$/, "must be a type like deployment.finished, deployment.* or *")).min(1).max(20),
});

/** Everybody's own webhooks. While they are switched off none of this is there. */
export function webhookRoutes(server: FastifyInstance, { database, access, deliveries }: Services): void {
  if (deliveries === undefined) return;

  server.get("/api/webhooks", async (request, reply) => {
    const { id } = await access.require(request, "webhooks:manage");
    return reply.header("cache-control", "no-store").send({ data: await listWebhooks(readerFor(request, database), id) });
  });

  server.post("/api/webhooks", async (request, reply) => {
    const { id } = await access.require(request, "webhooks:manage");
    const webhook = await createWebhook(database, id, webhookBody.parse(request.body));
    noteWrite(reply);
    return reply.code(201).header("cache-control", "no-store").send(webhook);
  });

  server.get("/api/webhooks/:id/deliveries", async (request, reply) => {
    const principal = await access.require(request, "webhooks:manage");
    const { id } = idParameter.parse(request.params);
    const data = (await deliveriesOf(readerFor(request, database), principal.id, id)) ?? (await deliveriesOf(database.primary, principal.id, id));
    if (data === undefined) throw notFound();
    return reply.header("cache-control", "no-store").send({ data });
  });

  server.delete("/api/webhooks/:id", async (request, reply) => {
    const principal = await access.require(request, "webhooks:manage");
    if (!(await deleteWebhook(database, principal.id, idParameter.parse(request.params).id))) throw notFound();
    noteWrite(reply);
    return reply.code(204).send();
  });
}
