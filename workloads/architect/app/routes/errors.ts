import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { errorById, errorLevels, errorStatuses, listErrors, reportError, resolveError } from "../errors.ts";
import { pageQuery } from "../page.ts";
import { notFound } from "../problem.ts";
import { noteWrite, readerFor } from "../recentWrite.ts";
import type { Services } from "../services.ts";

const listQuery = pageQuery.extend({ status: z.enum(errorStatuses).optional() });
const idParameter = z.object({ id: z.string().regex(/^\d{1,18}$/, "must be a number") });
const errorBody = z.object({
  message: z.string().min(1).max(10_000),
  level: z.enum(errorLevels).default("error"),
  stack: z.string().max(100_000).optional(),
  context: z.record(z.string(), z.unknown()).default({}),
});

/** Errors of other programs. Whoever has one may report it; to look at them takes a permission. */
export function errorRoutes(server: FastifyInstance, { database, access, metrics }: Services): void {
  server.post("/api/errors", async (request, reply) => {
    const error = errorBody.parse(request.body);
    const principal = await access.optional(request);
    const group = await reportError(database, error, { userId: principal?.id, address: request.ip });
    metrics.errorsReported.inc();
    if (principal !== undefined) noteWrite(reply);
    return reply.code(201).send(group);
  });

  server.get("/api/errors", async (request, reply) => {
    await access.require(request, "errors:read");
    return reply.header("cache-control", "no-store").send(await listErrors(readerFor(request, database), listQuery.parse(request.query)));
  });

  server.get("/api/errors/:id", async (request, reply) => {
    await access.require(request, "errors:read");
    const { id } = idParameter.parse(request.params);
    // What the replica does not have, it may not have yet.
    const group = (await errorById(readerFor(request, database), id)) ?? (await errorById(database.primary, id));
    if (group === undefined) throw notFound();
    return reply.header("cache-control", "no-store").send(group);
  });

  server.post("/api/errors/:id/resolve", async (request, reply) => {
    const principal = await access.require(request, "errors:resolve");
    const group = await resolveError(database, idParameter.parse(request.params).id, principal.id);
    if (group === undefined) throw notFound();
    noteWrite(reply);
    return reply.send(group);
  });
}
