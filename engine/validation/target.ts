import type { CacheNode } from "../cache/node.ts";
import type { ConnectionSettings } from "../postgres/connection.ts";
import type { StagingDatabase } from "../staging/database.ts";

/** What the platform knows of a running service. */
export interface ServiceState {
  readonly up: boolean;
  readonly pid?: number;
  readonly uptimeMs?: number;
  /** Unwanted ends the supervisor still remembers. */
  readonly restarts: number;
  /** Account it runs as: a name or a uid. */
  readonly user?: string;
  readonly rssBytes?: number;
}

export interface ServiceTarget {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** What it listens on beside that. */
  readonly morePorts?: readonly number[];
  state(): Promise<ServiceState>;
  /** Files with passwords or keys that the service reads, absolute. */
  readonly secretFiles: readonly string[];
  /** Folder with what must survive a restart, absolute. */
  readonly dataFolder?: string;
}

/** A service with its state at one moment. */
export interface ServiceSample {
  readonly service: ServiceTarget;
  readonly state: ServiceState;
}

/** Where requests are logged. */
export interface AccessLog {
  /** For messages. */
  readonly name: string;
  /** Its last lines, some hundred of them. */
  tail(): Promise<string>;
}

/** A running stack, as validation sees it. Holds secrets: never print it. */
export interface ValidationTarget {
  readonly stack: string;
  readonly platform: "process" | "docker" | "kubernetes";
  /** Through the proxy, e.g. `https://localhost:8080`. */
  readonly httpsUrl: string;
  /** Redirects only, e.g. `http://localhost:8081`. */
  readonly httpUrl: string;
  /** The application itself, past the proxy. */
  readonly appUrl: string;
  readonly staging: StagingDatabase;
  /** `nodes` where it is a cluster, the first of them at `host` and `port`. */
  readonly redis: { readonly host: string; readonly port: number; readonly password: string; readonly nodes?: readonly CacheNode[] };
  /** Every instance of the application, past the proxy. */
  readonly appInstances?: readonly { readonly service: string; readonly url: string; /** While it is there, the proxy leaves the instance out. */ readonly drainFile?: string }[];
  /** Where the application's database connections go, when they do not go to the primary. */
  readonly pool?: { readonly host: string; readonly port: number };
  readonly scheduledBackup?: { readonly folder: string; readonly healthUrl: string; readonly everyHours: number };
  /** Opens every account of the staging application. Without it, what needs a session could not run and is errored. */
  readonly signInPassword?: string;
  /** Absent when monitoring is off. */
  readonly prometheusUrl?: string;
  readonly alertmanagerUrl?: string;
  readonly grafanaUrl?: string;
  readonly services: readonly ServiceTarget[];
  /** PEM that the proxy should serve. */
  readonly certificateFile: string;
  /** The end of the proxy's log of requests, and how people find it. */
  readonly accessLog?: AccessLog;
  readonly source?: ConnectionSettings;
}

/** A secret of the target with a name for messages; the value never leaves the process. */
export interface KnownSecret {
  readonly name: string;
  readonly value: string;
}

/** Every secret that the target itself carries. */
export function secretsOf(target: ValidationTarget): KnownSecret[] {
  const { staging, redis, source, signInPassword = "" } = target;
  const secrets = [
    ...Object.entries(staging.passwords).map(([role, value]) => ({ name: `the database password of ${role}`, value })),
    { name: "the Redis password", value: redis.password },
    { name: "the sign-in password", value: signInPassword },
    ...(source === undefined ? [] : [{ name: "the source's password", value: source.password }]),
  ];
  return secrets.filter(({ value }) => value !== "");
}
