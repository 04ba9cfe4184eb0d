import type { FastifyError, FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import { codeOf, isConnectionLoss } from "../../shared/connectionLoss.ts";
import { CacheUnavailable } from "./cache.ts";

/** A request that cannot be done, in words for the person who made it. */
export class Problem extends Error {
  readonly statusCode: number;
  /** For programs, e.g. `not_found`. */
  readonly code: string;

  constructor(statusCode: number, code: string, message: string) {
    super(message);
    this.name = "Problem";
    this.statusCode = statusCode;
    this.code = code;
  }
}

export const notFound = (): Problem => new Problem(404, "not_found", "Nothing is here. Check the address.");
export const signInNeeded = (): Problem => new Problem(401, "sign_in_needed", "Sign in, or send an API token.");
export const notAllowed = (permission: string): Problem => new Problem(403, "not_allowed", `This takes the permission ${permission}.`);

/** Answers everything that went wrong as `{"error": {status, code, message}}`. */
export function handleProblems(app: FastifyInstance): void {
  const answer = (reply: FastifyReply, { statusCode, code, message }: Problem): FastifyReply => {
    reply.code(statusCode).header("cache-control", "no-store");
    if (statusCode === 503) reply.header("retry-after", "5");
    return reply.send({ error: { status: statusCode, code, message } });
  };
  app.setNotFoundHandler((_request, reply) => answer(reply, notFound()));
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const problem = problemOf(error);
    // Only the code: a message can hold values of the request or of rows.
    if (problem.statusCode >= 500) request.log.error({ code: codeOf(error), name: error.name, stack: stackOf(error) }, "request failed");
    return answer(reply, problem);
  });
}

function problemOf(error: FastifyError | Error): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof z.ZodError) {
    return new Problem(400, "bad_request", error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`).join("; "));
  }
  if (error instanceof CacheUnavailable) return new Problem(503, "cache_unavailable", "Sessions cannot be looked up right now. Try again in a few seconds.");
  if (isConnectionLoss(error)) return new Problem(503, "database_unavailable", "The database does not answer right now. Try again in a few seconds.");
  if (isOverload(error)) return new Problem(503, "overloaded", "There is more to do than can be done. Try again in a few seconds.");
  const status = "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500;
  if (status >= 400 && status < 500) return new Problem(status, "bad_request", "That does not fit. Check what was sent.");
  return new Problem(500, "internal_error", "Something went wrong here. Try again in a moment.");
}

/** The statement took too long, or no connection was free for too long. */
function isOverload(error: Error): boolean {
  return codeOf(error) === "57014" || error.message === "timeout exceeded when trying to connect";
}

/** The places of a stack without the message in its first line. */
function stackOf(error: Error): string[] {
  return (error.stack ?? "").split("\n").filter((line) => line.trimStart().startsWith("at ")).slice(0, 6).map((line) => line.trim());
}
