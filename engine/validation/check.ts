import type { Client } from "pg";
import type { StagingRole } from "../staging/database.ts";
import type { Workload } from "../workload/manifest.ts";
import type { HttpClient } from "./httpClient.ts";
import type { Outcome } from "./outcome.ts";
import type { Requirements } from "./requirements.ts";
import type { SignedIn } from "./signIn.ts";
import type { ServiceSample, ValidationTarget } from "./target.ts";

/** Document 004's categories, in its order. */
export const categories = ["infrastructure", "application", "database", "security", "performance", "integration"] as const;
export type Category = (typeof categories)[number];

/** What every check of a run is given. */
export interface CheckContext {
  readonly target: ValidationTarget;
  readonly requirements: Requirements;
  readonly workload: Workload;
  readonly http: HttpClient;
  /** Fires at the check's own deadline, or when the run is interrupted. */
  readonly signal: AbortSignal;
  /** Runs `use` in a session of that role; READ ONLY unless `writable`. */
  session<Result>(role: StagingRole, use: (client: Client) => Promise<Result>, options?: { writable?: boolean }): Promise<Result>;
  /** What the platform says of every service: as last seen in this run, or asked anew when `fresh`. */
  services(options?: { fresh?: boolean }): Promise<readonly ServiceSample[]>;
  /** The run's one sign-in through the proxy, made by whoever asks first. */
  signedIn(): Promise<SignedIn>;
  /** Called once all checks are done, last first, whatever their outcome. */
  afterwards(cleanUp: () => Promise<unknown>): void;
}

/** One thing that must hold. */
export interface ValidationCheck {
  /** `<category>.<name>`. */
  readonly id: string;
  readonly category: Category;
  /** What holds when it passes: `HTTP redirects to HTTPS`. */
  readonly title: string;
  readonly severity: "error" | "warning" | "info";
  /** Part of the essential subset. */
  readonly quick: boolean;
  /** Longest time of all its tries together. Default 5,000. */
  readonly timeoutMs?: number;
  /** What comes true only after a while is tried again for so long before it counts as failed. */
  readonly eventualMs?: number;
  /** A measurement: runs when nothing else does. */
  readonly alone?: boolean;
  run(context: CheckContext): Promise<Outcome>;
}
