import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { Problem } from "../problem.ts";
import type { Services } from "../services.ts";
import { principalByEmail, type Principal } from "../users.ts";

const signInBody = z.object({ email: z.string().min(1).max(320), password: z.string().min(1).max(1_000) });

/** What the API says about the person who is signed in. */
export function profileOf({ id, email, name, role, permissions }: Principal): Readonly<Record<string, unknown>> {
  return { id, email, name, role, permissions: [...permissions].sort() };
}

/** Signing in and out. */
export function authRoutes(server: FastifyInstance, { database, sessions, signInPassword, metrics }: Services): void {
  server.post("/api/auth/sign-in", async (request, reply) => {
    const { email, password } = signInBody.parse(request.body);
    // The password first, so that an unknown email takes as long as a known one.
    const matches = await signInPassword.matches(password);
    const principal = await principalByEmail(database.primary, email);
    if (!matches || principal === undefined) {
      metrics.signIns.inc({ result: "refused" });
      throw new Problem(401, "sign_in_refused", "That did not match. Check the email and the password.");
    }
    await database.write({
      name: "note_sign_in",
      text: `WITH noted AS (UPDATE users SET last_login_at = now(), last_login_ip = $2::inet WHERE id = $1 RETURNING id)
             INSERT INTO audit_log (actor_id, action, client_ip) SELECT id, 'auth.login', $2::inet FROM noted`,
      values: [principal.id, request.ip],
    });
    await sessions.start(reply, principal.id);
    metrics.signIns.inc({ result: "accepted" });
    return reply.header("cache-control", "no-store").send(profileOf(principal));
  });

  server.post("/api/auth/sign-out", async (request, reply) => {
    await sessions.end(request, reply);
    return reply.code(204).send();
  });
}
