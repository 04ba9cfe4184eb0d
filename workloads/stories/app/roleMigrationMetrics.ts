import { Gauge } from "prom-client";
import type { Database } from "./database.ts";
import { withDeadline } from "../../shared/deadline.ts";
import { fresh } from "./fresh.ts";
import type { Metrics } from "./metrics.ts";
import { roles } from "./roles.ts";

/** Counting users costs a scan, so scrapes close together share one count. */
const freshForMs = 4_000;
const timeoutMs = 3_000;

interface Counts {
  readonly byRole: ReadonlyMap<string, number>;
  readonly logRows: number;
  /** Seconds since 1970; 0 before the first. */
  readonly lastMigratedAt: number;
}

/**
 * Metrics of the role migration, read from the database when scraped. When it cannot be read they are absent and
 * `role_migration_metrics_up` is 0: an old number would look like a true one.
 */
export function watchRoleMigration(metrics: Metrics, database: Database, roleMigrationMode: boolean): void {
  const latest = fresh(() => withDeadline(readCounts(database), timeoutMs), freshForMs);
  const gauge = (
    name: string,
    help: string,
    fill: (gauge: Gauge, counts: Counts | undefined) => void,
    labelNames: readonly string[] = [],
  ): void => {
    const made: Gauge = new Gauge({
      name: `role_migration_${name}`,
      help,
      labelNames,
      registers: [],
      async collect() {
        const counts = await latest().catch(() => undefined);
        made.reset();
        if (labelNames.length === 0) made.remove();
        fill(made, counts);
      },
    });
    metrics.registry.registerMetric(made);
  };

  gauge("mode", "1 when LEARNER counts as CUSTOMER", (made) => made.set(roleMigrationMode ? 1 : 0));
  gauge("metrics_up", "1 when the numbers of the role migration could be read", (made, counts) => made.set(counts === undefined ? 0 : 1));
  gauge("learners_left", "Users that are still LEARNER", (made, counts) => counts && made.set(counts.byRole.get("LEARNER") ?? 0));
  gauge("log_rows", "Rows of staging_migrations.role_migration_log", (made, counts) => counts && made.set(counts.logRows));
  gauge("last_timestamp_seconds", "When the last user was migrated; 0 when none was", (made, counts) => counts && made.set(counts.lastMigratedAt));
  gauge(
    "users",
    "Users by role",
    (made, counts) => {
      for (const role of counts === undefined ? [] : roles) made.set({ role }, counts?.byRole.get(role) ?? 0);
    },
    ["role"],
  );
}

async function readCounts(database: Database): Promise<Counts> {
  const [users, log] = await Promise.all([
    database.read<{ role: string; users: string }>({
      name: "users_by_role",
      text: `SELECT "role"::text AS role, count(*) AS users FROM "User" GROUP BY "role"`,
    }),
    database.read<{ rows: string; last: string | null }>({
      name: "role_migration_log",
      text: `SELECT count(*) AS rows, extract(epoch FROM max(migrated_at)) AS last FROM staging_migrations.role_migration_log`,
    }),
  ]);
  return {
    byRole: new Map(users.map((row) => [row.role, Number(row.users)])),
    logRows: Number(log[0]?.rows ?? 0),
    lastMigratedAt: Number(log[0]?.last ?? 0),
  };
}
