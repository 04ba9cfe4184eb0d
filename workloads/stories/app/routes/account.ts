import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { readingOf, totalsOf, usersByRole, writtenBy } from "../dashboard.ts";
import { ordersOf } from "../orders.ts";
import { chooseRolePage, dashboardPage } from "../pages/account.ts";
import { notFound } from "../problem.ts";
import { wantsJson } from "../problemHandler.ts";
import { dashboardOf, effectiveRole, roles, selectableRoles, type DashboardKind, type Role } from "../roles.ts";
import type { Services } from "../services.ts";
import type { Flags } from "../settings.ts";
import { changeRole, type User } from "../users.ts";

/** What the API says about the person who is signed in. */
export interface Profile {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
  readonly effectiveRole: Role;
  readonly dashboard: DashboardKind;
}

export function profileOf(user: User, flags: Flags): Profile {
  const { id, email, name, role } = user;
  return { id, email, name, role, effectiveRole: effectiveRole(role, flags), dashboard: dashboardOf(role, flags) };
}

const roleBody = z.object({ role: z.enum(roles) });

/** The person who is signed in: profile, dashboard, role. */
export function accountRoutes(app: FastifyInstance, services: Services): void {
  const { database, settings, requiredUser, contextFor } = services;
  const { flags } = settings;
  const selectable = selectableRoles(flags);

  app.get("/api/me", async (request, reply) => reply.header("cache-control", "no-store").send(profileOf(await requiredUser(request), flags)));

  app.get("/dashboard", async (request, reply) => {
    const user = await requiredUser(request);
    const kind = dashboardOf(user.role, flags);
    const [totals, reading, orders, written, people] = await Promise.all([
      totalsOf(database, user.id),
      readingOf(database, user.id, 6),
      ordersOf(database, user.id, 5),
      writtenBy(database, user.id, 6),
      kind === "admin" ? usersByRole(database) : [],
    ]);
    return reply
      .type("text/html; charset=utf-8")
      .header("cache-control", "no-store")
      .send(
        dashboardPage(contextFor(request, user), user, {
          kind,
          effectiveRole: effectiveRole(user.role, flags),
          totals,
          reading,
          orders,
          written,
          usersByRole: people,
          canChooseRole: selectable.includes(effectiveRole(user.role, flags)),
        }),
      );
  });

  // Without role selection neither the page nor its action is there. Nobody leaves or gets a role that is given by others.
  if (selectable.length === 0) return;

  app.get("/choose-role", async (request, reply) => {
    const user = await requiredUser(request);
    const current = effectiveRole(user.role, flags);
    if (!selectable.includes(current)) throw notFound();
    return reply.type("text/html; charset=utf-8").header("cache-control", "no-store").send(chooseRolePage(contextFor(request, user), current, selectable));
  });

  app.post("/api/role", async (request, reply) => {
    const user = await requiredUser(request);
    const { role } = roleBody.parse(request.body);
    if (!selectable.includes(role) || !selectable.includes(effectiveRole(user.role, flags))) throw notFound();
    await changeRole(database, user.id, role);
    return wantsJson(request) ? profileOf({ ...user, role }, flags) : reply.redirect("/dashboard", 303);
  });
}
