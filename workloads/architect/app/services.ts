import type { SignInPassword } from "../../shared/signInPassword.ts";
import type { Access } from "./access.ts";
import type { Cache } from "./cache.ts";
import type { Database } from "./database.ts";
import type { Deliveries } from "./deliveries.ts";
import type { Health } from "./health.ts";
import type { Metrics } from "./metrics.ts";
import type { Sessions } from "./sessions.ts";
import type { AppSettings } from "./settings.ts";

/** What the routes work with. */
export interface Services {
  readonly settings: AppSettings;
  readonly database: Database;
  readonly cache: Cache;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly sessions: Sessions;
  readonly access: Access;
  readonly signInPassword: SignInPassword;
  /** Nothing while webhooks are switched off. */
  readonly deliveries: Deliveries | undefined;
}
