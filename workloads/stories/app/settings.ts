import { z } from "zod";
import { exitCode, UnderstudyError } from "../../../engine/errors.ts";
import { fillSecrets } from "../../shared/secretFiles.ts";

/** Given by value or, so that they stand in no process listing, by `NAME_FILE`. */
const secrets = ["DATABASE_URL", "REDIS_URL", "SESSION_SECRET", "STAGING_SIGN_IN_PASSWORD"] as const;

const flag = (fallback: boolean) =>
  z.stringbool({ error: "must be true or false" }).default(fallback);

/** A URL whose value never gets into a message: it holds a password. */
const secretUrl = (pattern: RegExp, example: string) =>
  z.string({ error: "is missing" }).refine((url) => pattern.test(url) && URL.canParse(url), {
    error: `must be a URL like ${example}`,
  });

const environment = z.object({
  NODE_ENV: z.string().default("staging"),
  HOST: z.string().min(1).default("127.0.0.1"),
  PORT: z.coerce.number({ error: "must be a port" }).int().min(1, "must be a port").max(65_535, "must be a port").default(3001),
  DATABASE_URL: secretUrl(/^postgres(ql)?:\/\//, "postgresql://USER:PASSWORD@HOST:PORT/DATABASE"),
  REDIS_URL: secretUrl(/^rediss?:\/\//, "redis://:PASSWORD@HOST:PORT"),
  /** Where REDIS_URL names one node of a cluster: all of them, and the same password. */
  REDIS_CLUSTER_NODES: z.string().regex(/^[^,:\s]+:\d+(,[^,:\s]+:\d+)*$/, "must be HOST:PORT, comma-separated").optional(),
  SESSION_SECRET: z.string({ error: "is missing" }).min(32, "must have at least 32 characters"),
  STAGING_SIGN_IN_PASSWORD: z.string({ error: "is missing" }).min(8, "must have at least 8 characters"),
  NEXTAUTH_URL: z.url({ protocol: /^https?$/, error: "must be the address people use, like https://localhost:8080" }),
  ROLE_MIGRATION_MODE: flag(false),
  ENABLE_UNIVERSAL_DASHBOARD: flag(false),
  DISABLE_ROLE_SELECTION: flag(false),
  DATABASE_POOL_SIZE: z.coerce.number({ error: "must be a number" }).int().min(1).max(100).default(10),
  /** Serves `/static/` from here when no proxy does, and puts the assets' version into their addresses. */
  STATIC_FOLDER: z.string().optional(),
  APP_VERSION: z.string().default("0.1.0"),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
});

/** Feature switches of the role migration. */
export interface Flags {
  /** LEARNER counts as CUSTOMER. */
  readonly roleMigrationMode: boolean;
  /** One dashboard for every role. */
  readonly universalDashboard: boolean;
  /** People cannot choose their role themselves. */
  readonly roleSelectionDisabled: boolean;
}

export interface AppSettings {
  readonly environment: string;
  readonly version: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl: URL;
  readonly databaseUrl: string;
  readonly databasePoolSize: number;
  readonly redisUrl: string;
  /** Nodes of the cluster; none when it is one server. */
  readonly redisNodes: readonly { readonly host: string; readonly port: number }[];
  readonly sessionSecret: string;
  /** Opens every account: on staging the people's own password hashes are masked. */
  readonly signInPassword: string;
  readonly staticFolder: string | undefined;
  readonly logLevel: string;
  readonly flags: Flags;
}

/**
 * Reads the app's settings from its environment.
 * @throws UnderstudyError (exit 2) that names every wrong variable at once, and no value of a secret.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): AppSettings {
  const { values, problems: unreadable } = fillSecrets(env, secrets);
  const problems = [...unreadable];
  const result = environment.safeParse(values);
  if (!result.success) {
    const unread = new Set<PropertyKey>(problems.map((problem) => problem.split("_FILE:")[0] ?? ""));
    for (const issue of result.error.issues) {
      const name = issue.path[0] ?? "";
      if (!unread.has(name)) problems.push(`${String(name)} ${issue.message}`);
    }
  }
  if (!result.success || problems.length > 0) {
    throw new UnderstudyError(`The app's environment has ${problems.length} wrong value(s): ${problems.join("; ")}.`, {
      exitCode: exitCode.usage,
    });
  }
  const { data } = result;
  return {
    environment: data.NODE_ENV,
    version: data.APP_VERSION,
    host: data.HOST,
    port: data.PORT,
    publicUrl: new URL(data.NEXTAUTH_URL),
    databaseUrl: data.DATABASE_URL,
    databasePoolSize: data.DATABASE_POOL_SIZE,
    redisUrl: data.REDIS_URL,
    redisNodes: (data.REDIS_CLUSTER_NODES?.split(",") ?? []).map((node) => {
      const [host = "", port] = node.split(":");
      return { host, port: Number(port) };
    }),
    sessionSecret: data.SESSION_SECRET,
    signInPassword: data.STAGING_SIGN_IN_PASSWORD,
    staticFolder: data.STATIC_FOLDER,
    logLevel: data.LOG_LEVEL,
    flags: {
      roleMigrationMode: data.ROLE_MIGRATION_MODE,
      universalDashboard: data.ENABLE_UNIVERSAL_DASHBOARD,
      roleSelectionDisabled: data.DISABLE_ROLE_SELECTION,
    },
  };
}
