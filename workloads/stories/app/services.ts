import type { FastifyRequest } from "fastify";
import type { SignInPassword } from "../../shared/signInPassword.ts";
import type { Database } from "./database.ts";
import type { Health } from "./health.ts";
import type { Metrics } from "./metrics.ts";
import type { PageContext } from "./pages/layout.ts";
import type { Sessions } from "./sessions.ts";
import type { AppSettings } from "./settings.ts";
import type { User } from "./users.ts";

/** What the routes work with. */
export interface Services {
  readonly settings: AppSettings;
  readonly database: Database;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly sessions: Sessions;
  readonly signInPassword: SignInPassword;
  /** @throws Problem (401) when nobody is signed in, CacheUnavailable when that cannot be known. */
  requiredUser(request: FastifyRequest): Promise<User>;
  /** Nothing when nobody is signed in, or when that cannot be known. */
  optionalUser(request: FastifyRequest): Promise<User | undefined>;
  contextFor(request: FastifyRequest, user: User | undefined): PageContext;
}
