import cookie from "@fastify/cookie";
import fastify, { LogController, type FastifyInstance } from "fastify";
import { SignInPassword } from "../../shared/signInPassword.ts";
import { Access } from "./access.ts";
import { Cache } from "./cache.ts";
import { Database } from "./database.ts";
import { Deliveries } from "./deliveries.ts";
import { Health } from "./health.ts";
import { Metrics } from "./metrics.ts";
import { handleProblems, Problem } from "./problem.ts";
import { accountRoutes } from "./routes/account.ts";
import { authRoutes } from "./routes/auth.ts";
import { errorRoutes } from "./routes/errors.ts";
import { eventRoutes } from "./routes/events.ts";
import { notificationRoutes } from "./routes/notifications.ts";
import { operationsRoutes } from "./routes/operations.ts";
import { webhookRoutes } from "./routes/webhooks.ts";
import type { Services } from "./services.ts";
import { Sessions } from "./sessions.ts";
import type { AppSettings } from "./settings.ts";

export interface Api {
  readonly server: FastifyInstance;
  /** Says by `/health` that nothing should be sent here any more, waits for that to be seen, then ends what is under way. */
  leave(): Promise<void>;
}

/** Puts the API together; nothing listens yet. `server.close()` ends its connections. */
export async function buildApi(settings: AppSettings): Promise<Api> {
  const server = fastify({
    logger: { level: settings.logLevel },
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: "loopback",
    bodyLimit: 256 * 1024,
    // Longer than the proxy keeps its connections, so that it is the proxy who closes them.
    keepAliveTimeout: 65_000,
    requestTimeout: 30_000,
    forceCloseConnections: "idle",
    // What comes on a connection that is kept is answered as ever; it is the last on it.
    return503OnClosing: false,
  });
  const metrics = new Metrics(settings);
  const database = new Database({ url: settings.databaseUrl, replicaUrl: settings.replicaUrl, connections: settings.databaseConnections, metrics, log: server.log });
  const cache = new Cache({ server: settings.cache, metrics, log: server.log });
  const deliveries = settings.features.webhooks ? new Deliveries({ database, metrics, log: server.log }) : undefined;
  const sessions = new Sessions(cache, settings.sessionSeconds);
  const services: Services = {
    settings,
    database,
    cache,
    metrics,
    health: new Health({ database, cache, deliveries, metrics }),
    sessions,
    access: new Access(database, sessions),
    signInPassword: new SignInPassword(settings.signInPassword),
    deliveries,
  };

  await server.register(cookie, { secret: settings.sessionSecret });
  observeRequests(server, metrics);
  refuseCrossSiteWrites(server, settings.publicUrl);
  let leaving = false;
  server.addHook("onSend", async (_request, reply) => {
    // The last answer on its connection, so that nobody sends one more request on a connection about to close.
    if (leaving) reply.header("connection", "close");
  });
  handleProblems(server);
  for (const routes of [operationsRoutes, authRoutes, accountRoutes, eventRoutes, errorRoutes, notificationRoutes, webhookRoutes]) routes(server, services);

  server.addHook("onReady", async () => {
    cache.connect();
    deliveries?.start();
  });
  server.addHook("onClose", async () => {
    await deliveries?.close();
    await Promise.all([database.close(), cache.close()]);
  });
  return {
    server,
    leave: async () => {
      leaving = true;
      services.health.leave();
      await new Promise((resolve) => setTimeout(resolve, settings.shutdownDelayMs));
      await server.close();
    },
  };
}

/** One log line and one observation a request; health and metrics, asked every few seconds, are measured but not logged. */
function observeRequests(server: FastifyInstance, metrics: Metrics): void {
  server.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "(none)";
    metrics.answered({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime);
    if (route === "/health" || route === "/metrics") return;
    request.log.info({ method: request.method, route, status: reply.statusCode, durationMs: Math.round(reply.elapsedTime) }, "request");
  });
}

/** A page elsewhere must not post in a signed-in person's name; SameSite cookies are the first line, this is the second. */
function refuseCrossSiteWrites(server: FastifyInstance, publicUrl: URL): void {
  server.addHook("onRequest", async (request) => {
    if (["GET", "HEAD", "OPTIONS"].includes(request.method)) return;
    const { origin, host } = request.headers;
    if (origin === undefined || origin === publicUrl.origin) return;
    if (URL.canParse(origin) && host !== undefined && new URL(origin).host === host) return;
    throw new Problem(403, "cross_site", "That came from another site.");
  });
}
