import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { createEvent, deleteEvent, eventById, listEvents } from "../events.ts";
import { pageQuery } from "../page.ts";
import { notFound } from "../problem.ts";
import { noteWrite, readerFor } from "../recentWrite.ts";
import type { Services } from "../services.ts";

const type = z.string().max(100).regex(/^[a-z]+(\.[a-z_]+)+$/, "must be words with dots between, like deployment.finished");
const listQuery = pageQuery.extend({ type: type.optional() });
// Ids of older clients are no UUIDs of any version.
const idParameter = z.object({ id: z.guid() });
const eventBody = z.object({ type, source: z.string().trim().min(1).max(100), payload: z.record(z.string(), z.unknown()).default({}) });

export function eventRoutes(server: FastifyInstance, services: Services): void {
  const { database, cache, access, metrics, settings, deliveries } = services;
  const store = { database, cache, cacheTtlSeconds: settings.cacheTtlSeconds };

  server.get("/api/events", async (request, reply) => {
    await access.require(request, "events:read");
    return reply.header("cache-control", "no-store").send(await listEvents(readerFor(request, database), listQuery.parse(request.query)));
  });

  server.get("/api/events/:id", async (request, reply) => {
    await access.require(request, "events:read");
    const { id } = idParameter.parse(request.params);
    const event = await eventById(store, readerFor(request, database), id);
    if (event === undefined) throw notFound();
    return reply.header("cache-control", "no-store").send(event);
  });

  server.post("/api/events", async (request, reply) => {
    const { id } = await access.require(request, "events:write");
    const { event, deliveries: waiting } = await createEvent(database, id, eventBody.parse(request.body), settings.features.webhooks);
    metrics.eventsCreated.inc();
    if (waiting > 0) deliveries?.wake();
    noteWrite(reply);
    return reply.code(201).header("location", `/api/events/${event.id}`).send(event);
  });

  server.delete("/api/events/:id", async (request, reply) => {
    await access.require(request, "events:delete");
    if (!(await deleteEvent(store, idParameter.parse(request.params).id))) throw notFound();
    noteWrite(reply);
    return reply.code(204).send();
  });
}
