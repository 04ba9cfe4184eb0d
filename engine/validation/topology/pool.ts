import { Client } from "pg";
import { clientConfig, type ConnectionSettings } from "../../postgres/connection.ts";
import { hasSqlState } from "../../postgres/session.ts";
import { connectionOf } from "../../staging/database.ts";
import type { CheckContext, ValidationCheck } from "../check.ts";
import { failed, passed } from "../outcome.ts";

const remedy = "See understudy logs database-pool, and pgbouncer.ini in its folder.";

function throughPool({ target }: CheckContext): ConnectionSettings {
  if (target.pool === undefined) throw new Error("this stack has no connection pool");
  return { ...connectionOf(target.staging, "app"), ...target.pool };
}

async function withClient<Result>(settings: ConnectionSettings, use: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client(clientConfig(settings, { applicationName: "understudy validation", connectTimeoutMs: 3_000 }));
  client.on("error", () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => {});
  }
}

const identity = "SELECT current_database() AS database, current_user AS \"user\", pg_postmaster_start_time()::text AS server, (SELECT oid FROM pg_database WHERE datname = current_database())::text AS oid";

export const poolReachesPrimary: ValidationCheck = {
  id: "integration.database-pool",
  category: "integration",
  title: "The connection pool leads to the database in use",
  severity: "error",
  quick: true,
  run: async (context) => {
    const direct = await context.session("app", (client) => client.query<Record<string, string>>(identity));
    const pooled = await withClient(throughPool(context), (client) => client.query<Record<string, string>>(identity));
    const differing = Object.keys(direct.rows[0] ?? {}).filter((key) => direct.rows[0]?.[key] !== pooled.rows[0]?.[key]);
    if (differing.length > 0) return failed(`through the pool it is another ${differing.join(", ")}`, remedy);
    return passed(`${pooled.rows[0]?.["user"]} reaches ${pooled.rows[0]?.["database"]} of the same server, by SCRAM`);
  },
};

export const poolRefusesWrongPassword: ValidationCheck = {
  id: "security.database-pool-password",
  category: "security",
  title: "The connection pool refuses a wrong password",
  severity: "error",
  quick: true,
  run: async (context) => {
    try {
      await withClient({ ...throughPool(context), password: "understudy-wrong-password" }, (client) => client.query("SELECT 1"));
      return failed("it let somebody in with a wrong password", "Set auth_type = scram-sha-256 in pgbouncer.ini, then reload.");
    } catch (error) {
      if (hasSqlState(error, "28P01", "28000", "08P01")) return passed("a wrong password was refused");
      throw error;
    }
  },
};
