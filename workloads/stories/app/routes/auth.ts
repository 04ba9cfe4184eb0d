import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { signInPage } from "../pages/account.ts";
import { Problem } from "../problem.ts";
import { wantsJson } from "../problemHandler.ts";
import type { Services } from "../services.ts";
import { userByEmail } from "../users.ts";
import { profileOf } from "./account.ts";

const signInBody = z.object({
  email: z.string().min(1).max(320),
  password: z.string().min(1).max(1_000),
  next: z.string().optional(),
});

/** Signing in and out, by form and by JSON. */
export function authRoutes(app: FastifyInstance, services: Services): void {
  const { database, sessions, signInPassword, metrics, settings, optionalUser, contextFor } = services;

  app.get<{ Querystring: { next?: string } }>("/sign-in", async (request, reply) => {
    const user = await optionalUser(request);
    if (user !== undefined) return reply.redirect("/dashboard", 303);
    return reply
      .type("text/html; charset=utf-8")
      .header("cache-control", "no-store")
      .send(signInPage(contextFor(request, undefined), { next: ownPath(request.query.next) }));
  });

  app.post("/api/auth/sign-in", async (request, reply) => {
    const { email, password, next } = signInBody.parse(request.body);
    // The password first, so that an unknown email takes as long as a known one.
    const matches = await signInPassword.matches(password);
    const user = await userByEmail(database, email);
    if (!matches || user === undefined) {
      metrics.signIns.inc({ result: "refused" });
      const problem = new Problem(401, "sign_in_refused", "That did not match", "Check the email and the password.");
      if (wantsJson(request)) throw problem;
      return reply
        .code(401)
        .type("text/html; charset=utf-8")
        .send(signInPage(contextFor(request, undefined), { next: ownPath(next), email, problem: `${problem.message}. ${problem.advice}` }));
    }
    await sessions.start(reply, user.id);
    metrics.signIns.inc({ result: "accepted" });
    reply.header("cache-control", "no-store");
    return wantsJson(request) ? reply.send(profileOf(user, settings.flags)) : reply.redirect(ownPath(next), 303);
  });

  app.post("/api/auth/sign-out", async (request, reply) => {
    await sessions.end(request, reply);
    return wantsJson(request) ? reply.code(204).send() : reply.redirect("/", 303);
  });
}

/** A path on this site, whatever was asked for: never a way to another one. */
function ownPath(next: string | undefined): string {
  if (next === undefined) return "/dashboard";
  const base = "https://here.invalid";
  if (!next.startsWith("/") || !URL.canParse(next, base)) return "/dashboard";
  const url = new URL(next, base);
  return url.origin === base ? `${url.pathname}${url.search}` : "/dashboard";
}
