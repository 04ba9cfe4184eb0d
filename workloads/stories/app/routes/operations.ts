import type { FastifyInstance } from "fastify";
import type { Services } from "../services.ts";

/** Health and metrics. */
export function operationsRoutes(app: FastifyInstance, { health, metrics }: Services): void {
  app.get("/api/health", async (_request, reply) => {
    const report = await health.check();
    return reply
      .code(report.status === "unhealthy" ? 503 : 200)
      .header("cache-control", "no-store")
      .send(report);
  });

  app.get("/metrics", async (_request, reply) =>
    reply.type(metrics.registry.contentType).header("cache-control", "no-store").send(await metrics.registry.metrics()),
  );
}
