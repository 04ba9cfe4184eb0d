import { z } from "zod";
import { exitCode, UnderstudyError } from "../../../engine/errors.ts";
import { fillSecrets } from "../../shared/secretFiles.ts";

/** Given by value or by `NAME_FILE`. */
const secrets = ["DATABASE_URL", "DATABASE_REPLICA_URL", "REDIS_URL", "REDIS_PASSWORD", "SESSION_SECRET", "STAGING_SIGN_IN_PASSWORD"] as const;

const flag = (fallback: boolean) => z.stringbool({ error: "must be true or false" }).default(fallback);
const wholeNumber = (least: number, most: number, fallback: number) =>
  z.coerce.number({ error: "must be a number" }).int("must be whole").min(least, `must be at least ${least}`).max(most, `must be at most ${most}`).default(fallback);

/** A URL whose value never gets into a message: it holds a password. */
const secretUrl = (pattern: RegExp, example: string) =>
  z.string({ error: "is missing" }).refine((url) => pattern.test(url) && URL.canParse(url), { error: `must be a URL like ${example}` });
const postgresUrl = secretUrl(/^postgres(ql)?:\/\//, "postgresql://USER:PASSWORD@HOST:PORT/DATABASE");

const clusterNode = /^[A-Za-z0-9.-]+:\d{1,5}$/;

const environment = z.object({
  NODE_ENV: z.string().default("staging"),
  HOST: z.string().min(1).default("127.0.0.1"),
  PORT: wholeNumber(1, 65_535, 8080),
  DATABASE_URL: postgresUrl,
  /** Read-only; reads go there while it answers. */
  DATABASE_REPLICA_URL: postgresUrl.optional(),
  DATABASE_MAX_CONNS: wholeNumber(1, 100, 15),
  REDIS_URL: secretUrl(/^rediss?:\/\//, "redis://:PASSWORD@HOST:PORT"),
  /** `host:port,host:port`: a cluster, entered through these. */
  REDIS_CLUSTER_NODES: z
    .string()
    .transform((text) => text.split(",").map((node) => node.trim()))
    .refine((nodes) => nodes.every((node) => clusterNode.test(node)), { error: "must be HOST:PORT,HOST:PORT" })
    .optional(),
  REDIS_PASSWORD: z.string().optional(),
  CACHE_TTL: wholeNumber(1, 86_400, 3_600),
  SESSION_SECRET: z.string({ error: "is missing" }).min(32, "must have at least 32 characters"),
  SESSION_TIMEOUT: wholeNumber(60, 86_400, 3_600),
  STAGING_SIGN_IN_PASSWORD: z.string({ error: "is missing" }).min(8, "must have at least 8 characters"),
  NEXTAUTH_URL: z.url({ protocol: /^https?$/, error: "must be the address people use, like https://localhost:8080" }),
  FEATURE_WEBHOOKS_ENABLED: flag(true),
  FEATURE_INTEGRATIONS_ENABLED: flag(true),
  FEATURE_AUTOPILOT_ENABLED: flag(false),
  /** After SIGTERM `/health` fails for so long before nothing new is taken, for whoever routes to us to see. */
  SHUTDOWN_DELAY_MS: wholeNumber(0, 60_000, 500),
  APP_VERSION: z.string().default("3.2.0"),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
});

export interface Features {
  readonly webhooks: boolean;
  readonly integrations: boolean;
  readonly autopilot: boolean;
}

export type CacheServer = { readonly kind: "single"; readonly url: string } | { readonly kind: "cluster"; readonly nodes: readonly string[]; readonly password: string | undefined };

export interface AppSettings {
  readonly environment: string;
  readonly version: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl: URL;
  readonly databaseUrl: string;
  readonly replicaUrl: string | undefined;
  readonly databaseConnections: number;
  readonly cache: CacheServer;
  readonly cacheTtlSeconds: number;
  readonly sessionSecret: string;
  readonly sessionSeconds: number;
  /** Opens every account: on staging the people's own password hashes are masked. */
  readonly signInPassword: string;
  readonly features: Features;
  readonly shutdownDelayMs: number;
  readonly logLevel: string;
}

/**
 * Reads the app's settings from its environment.
 * @throws UnderstudyError (exit 2) that names every wrong variable at once, and no value of a secret.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): AppSettings {
  const { values, problems: unreadable } = fillSecrets(env, secrets);
  const result = environment.safeParse(values);
  const unread = new Set<PropertyKey>(unreadable.map((problem) => problem.split("_FILE:")[0] ?? ""));
  const wrong = (result.error?.issues ?? []).filter(({ path }) => !unread.has(path[0] ?? "")).map(({ path, message }) => `${String(path[0] ?? "")} ${message}`);
  if (!result.success || unreadable.length > 0) {
    const problems = [...unreadable, ...wrong];
    throw new UnderstudyError(`The app's environment has ${problems.length} wrong value(s): ${problems.join("; ")}.`, { exitCode: exitCode.usage });
  }
  const { data } = result;
  return {
    environment: data.NODE_ENV,
    version: data.APP_VERSION,
    host: data.HOST,
    port: data.PORT,
    publicUrl: new URL(data.NEXTAUTH_URL),
    databaseUrl: data.DATABASE_URL,
    replicaUrl: data.DATABASE_REPLICA_URL,
    databaseConnections: data.DATABASE_MAX_CONNS,
    cache:
      data.REDIS_CLUSTER_NODES === undefined
        ? { kind: "single", url: data.REDIS_URL }
        : { kind: "cluster", nodes: data.REDIS_CLUSTER_NODES, password: data.REDIS_PASSWORD },
    cacheTtlSeconds: data.CACHE_TTL,
    sessionSecret: data.SESSION_SECRET,
    sessionSeconds: data.SESSION_TIMEOUT,
    signInPassword: data.STAGING_SIGN_IN_PASSWORD,
    features: { webhooks: data.FEATURE_WEBHOOKS_ENABLED, integrations: data.FEATURE_INTEGRATIONS_ENABLED, autopilot: data.FEATURE_AUTOPILOT_ENABLED },
    shutdownDelayMs: data.SHUTDOWN_DELAY_MS,
    logLevel: data.LOG_LEVEL,
  };
}
