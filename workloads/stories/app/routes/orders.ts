import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { ordersOf, placeOrder } from "../orders.ts";
import { ordersPage } from "../pages/account.ts";
import { Problem } from "../problem.ts";
import { wantsJson } from "../problemHandler.ts";
import type { Services } from "../services.ts";

const shownOrders = 100;
const orderBody = z.object({
  storySlug: z.string().min(1).max(300),
  copies: z.coerce.number().int().min(1).max(20).default(1),
});

/** Orders of the person who is signed in. */
export function orderRoutes(app: FastifyInstance, { database, metrics, requiredUser, contextFor }: Services): void {
  app.get<{ Querystring: { placed?: string } }>("/orders", async (request, reply) => {
    const user = await requiredUser(request);
    const orders = await ordersOf(database, user.id, shownOrders);
    const placed = orders.find(({ number }) => number === request.query.placed)?.number;
    return reply
      .type("text/html; charset=utf-8")
      .header("cache-control", "no-store")
      .send(ordersPage(contextFor(request, user), orders, placed));
  });

  app.get("/api/orders", async (request, reply) => {
    const user = await requiredUser(request);
    return reply.header("cache-control", "no-store").send({ data: await ordersOf(database, user.id, shownOrders) });
  });

  app.post("/api/orders", async (request, reply) => {
    const user = await requiredUser(request);
    const order = await placeOrder(database, { userId: user.id, ...orderBody.parse(request.body) });
    if (order === undefined) throw new Problem(404, "no_such_story", "That story cannot be ordered", "Choose one that is published.");
    metrics.ordersCreated.inc();
    return wantsJson(request) ? reply.code(201).send(order) : reply.redirect(`/orders?placed=${order.number}`, 303);
  });
}
