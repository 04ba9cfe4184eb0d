import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import fastify, { LogController, type FastifyInstance, type FastifyRequest } from "fastify";
import { SignInPassword } from "../../shared/signInPassword.ts";
import { Assets } from "./assets.ts";
import { Cache, CacheUnavailable } from "./cache.ts";
import { Database } from "./database.ts";
import { Health } from "./health.ts";
import { Metrics } from "./metrics.ts";
import type { PageContext } from "./pages/layout.ts";
import { Problem, signInNeeded } from "./problem.ts";
import { handleProblems } from "./problemHandler.ts";
import { watchRoleMigration } from "./roleMigrationMetrics.ts";
import { accountRoutes } from "./routes/account.ts";
import { authRoutes } from "./routes/auth.ts";
import { operationsRoutes } from "./routes/operations.ts";
import { orderRoutes } from "./routes/orders.ts";
import { storyRoutes } from "./routes/stories.ts";
import type { Services } from "./services.ts";
import { Sessions } from "./sessions.ts";
import type { AppSettings } from "./settings.ts";
import { userById, type User } from "./users.ts";

/** Puts the app together; nothing listens yet. `close()` ends its connections. */
export async function buildApp(settings: AppSettings): Promise<FastifyInstance> {
  const app = fastify({
    logger: { level: settings.logLevel },
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: "loopback",
    bodyLimit: 1024 ** 2,
    // Longer than the proxy keeps its connections, so that it is the proxy who closes them.
    keepAliveTimeout: 65_000,
    requestTimeout: 30_000,
    forceCloseConnections: "idle",
  });
  const metrics = new Metrics(settings);
  const database = new Database({ url: settings.databaseUrl, poolSize: settings.databasePoolSize, metrics, log: app.log });
  const cache = new Cache({ url: settings.redisUrl, nodes: settings.redisNodes, metrics, log: app.log });
  const health = new Health({ settings, database, cache, metrics });
  const sessions = new Sessions(cache);
  const assets = new Assets(settings.staticFolder);
  watchRoleMigration(metrics, database, settings.flags.roleMigrationMode);

  const requiredUser = async (request: FastifyRequest): Promise<User> => {
    const id = await sessions.userId(request);
    const user = id === undefined ? undefined : await userById(database, id);
    if (user === undefined) throw signInNeeded();
    return user;
  };
  // Pages that anybody may read do not fail because the cache does.
  const optionalUser = async (request: FastifyRequest): Promise<User | undefined> =>
    requiredUser(request).catch((error: unknown) => {
      if (error instanceof CacheUnavailable) request.log.warn({ code: error.code }, "shown as signed out: no cache");
      else if (!(error instanceof Problem)) throw error;
      return undefined;
    });
  const contextFor = (request: FastifyRequest, user: User | undefined): PageContext => ({
    user,
    path: request.url.split("?")[0] ?? "/",
    environment: settings.environment,
    asset: (name) => assets.address(name),
  });
  const services: Services = {
    settings,
    database,
    metrics,
    health,
    sessions,
    signInPassword: new SignInPassword(settings.signInPassword),
    requiredUser,
    optionalUser,
    contextFor,
  };

  await app.register(cookie, { secret: settings.sessionSecret });
  await app.register(formbody);
  observeRequests(app, metrics);
  refuseCrossSiteWrites(app, settings.publicUrl);
  endConnectionsWhenClosing(app);
  handleProblems(app, async (request) => contextFor(request, await optionalUser(request).catch(() => undefined)));
  for (const routes of [operationsRoutes, storyRoutes, authRoutes, accountRoutes, orderRoutes]) routes(app, services);
  assets.serve(app);

  app.addHook("onReady", async () => cache.connect());
  app.addHook("onClose", async () => {
    health.close();
    await Promise.all([database.close(), cache.close()]);
  });
  return app;
}

/** One log line and one observation a request; health and metrics, asked every few seconds, are measured but not logged. */
function observeRequests(app: FastifyInstance, metrics: Metrics): void {
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "(none)";
    metrics.requestDuration.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
    if (route === "/api/health" || route === "/metrics") return;
    request.log.info({ method: request.method, route, status: reply.statusCode, durationMs: Math.round(reply.elapsedTime) }, "request");
  });
}

/** A page elsewhere must not post in a signed-in person's name; SameSite cookies are the first line, this is the second. */
function refuseCrossSiteWrites(app: FastifyInstance, publicUrl: URL): void {
  app.addHook("onRequest", async (request) => {
    if (["GET", "HEAD", "OPTIONS"].includes(request.method)) return;
    const { origin, host } = request.headers;
    if (origin === undefined || origin === publicUrl.origin) return;
    if (URL.canParse(origin) && host !== undefined && new URL(origin).host === host) return;
    throw new Problem(403, "cross_site", "That came from another site", "Open the page here and try again.");
  });
}

/** An answer given while the app shuts down is the last on its connection: a kept one would hold up the end. */
function endConnectionsWhenClosing(app: FastifyInstance): void {
  let closing = false;
  app.addHook("preClose", async () => {
    closing = true;
  });
  app.addHook("onSend", async (_request, reply) => {
    if (closing) reply.header("connection", "close");
  });
}
