import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { codeOf, isConnectionLoss } from "../../shared/connectionLoss.ts";
import { CacheUnavailable } from "./cache.ts";
import { problemPage } from "./pages/account.ts";
import type { PageContext } from "./pages/layout.ts";
import { notFound, Problem } from "./problem.ts";

/** Answers everything that went wrong: JSON under `/api/` or where it is asked for, a page otherwise. */
export function handleProblems(app: FastifyInstance, contextOf: (request: FastifyRequest) => Promise<PageContext>): void {
  const answer = async (request: FastifyRequest, reply: FastifyReply, problem: Problem): Promise<FastifyReply> => {
    reply.code(problem.statusCode).header("cache-control", "no-store");
    if (problem.statusCode === 503) reply.header("retry-after", "5");
    if (wantsJson(request)) {
      return reply.send({ error: { status: problem.statusCode, code: problem.code, message: `${problem.message}. ${problem.advice}` } });
    }
    if (problem.statusCode === 401) return reply.redirect(`/sign-in?next=${encodeURIComponent(request.url)}`, 303);
    return reply.type("text/html; charset=utf-8").send(problemPage(await contextOf(request), problem.statusCode, problem.message, problem.advice));
  };
  app.setNotFoundHandler((request, reply) => answer(request, reply, notFound()));
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const problem = problemOf(error);
    // Only the code: a message can hold values of the request or of rows.
    if (problem.statusCode >= 500) request.log.error({ code: codeOf(error), name: error.name, stack: stackOf(error) }, "request failed");
    return answer(request, reply, problem);
  });
}

/** True for programs: under `/api/`, except forms that a browser sends there. */
export function wantsJson(request: FastifyRequest): boolean {
  const accept = request.headers.accept ?? "";
  return (request.url.startsWith("/api/") && !accept.includes("text/html")) || accept.startsWith("application/json");
}

function problemOf(error: FastifyError | Error): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof z.ZodError) {
    const fields = error.issues.map((issue) => `${issue.path.join(".") || "body"}: ${issue.message}`).join("; ");
    return new Problem(400, "bad_request", "That does not fit", fields);
  }
  if (error instanceof CacheUnavailable) {
    return new Problem(503, "cache_unavailable", "Signing in does not work right now", "Try again in a few seconds.");
  }
  if (isConnectionLoss(error)) {
    return new Problem(503, "database_unavailable", "Our books are closed for a moment", "Try again in a few seconds.");
  }
  const status = "statusCode" in error && typeof error.statusCode === "number" ? error.statusCode : 500;
  if (status >= 400 && status < 500) {
    return new Problem(status, "bad_request", "That does not fit", "Check what was sent, and try again.");
  }
  return new Problem(500, "internal_error", "Something went wrong", "It is not your fault. Try again in a moment.");
}

/** The places of a stack without the message in its first line. */
function stackOf(error: Error): string[] {
  return (error.stack ?? "").split("\n").filter((line) => line.trimStart().startsWith("at ")).slice(0, 6).map((line) => line.trim());
}
