import type { FastifyInstance } from "fastify";
import type { Services } from "../services.ts";

/** Health, metrics, and what runs here. */
export function operationsRoutes(server: FastifyInstance, { health, metrics, settings }: Services): void {
  server.get("/health", async (_request, reply) => {
    const report = await health.check();
    return reply
      .code(report.status === "unhealthy" ? 503 : 200)
      .header("cache-control", "no-store")
      .send(report);
  });

  server.get("/metrics", async (_request, reply) =>
    reply.type(metrics.registry.contentType).header("cache-control", "no-store").send(await metrics.registry.metrics()),
  );

  const about = { name: "Architect Dashboard API", version: settings.version, environment: settings.environment, features: settings.features };
  server.get("/api/version", async () => about);
}
