import type { FastifyReply, FastifyRequest } from "fastify";
import type { Database, Reader } from "./database.ts";

const cookieName = "architect-recent-write";
/** Longer than a healthy replica lags behind. */
const lastsSeconds = 2;

/** Whoever has just written reads from the primary for a moment, on any instance: the replica may not have it yet. */
export function readerFor(request: FastifyRequest, database: Database): Reader {
  return request.cookies[cookieName] === undefined ? database.anywhere : database.primary;
}

export function noteWrite(reply: FastifyReply): void {
  reply.setCookie(cookieName, "1", { path: "/", httpOnly: true, secure: true, sameSite: "lax", maxAge: lastsSeconds });
}
