import type { ClientConfig } from "pg";

/** How to reach one PostgreSQL database. The password is a secret: never printed, never in argv. */
export interface ConnectionSettings {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** libpq's sslmode, from the URL's query; default `disable` on loopback. */
  readonly sslmode?: "disable" | "require" | "verify-ca" | "verify-full";
}

/** What `pg` wants, with the timeouts set on purpose. */
export function clientConfig(
  settings: ConnectionSettings,
  options: { readonly applicationName: string; readonly connectTimeoutMs?: number } = { applicationName: "understudy" },
): ClientConfig {
  const { sslmode = "disable" } = settings;
  return {
    host: settings.host,
    port: settings.port,
    database: settings.database,
    user: settings.user,
    password: settings.password,
    ssl: sslmode === "disable" ? false : { rejectUnauthorized: sslmode.startsWith("verify") },
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 5_000,
    keepAlive: true,
  };
}

/** `postgresql://user@host:port/database`, without the password: fit for messages and reports. */
export function displayUrl(settings: ConnectionSettings): string {
  return `postgresql://${settings.user}@${settings.host}:${settings.port}/${settings.database}`;
}
