import { RowBuilder, type DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { dashboard, stat, timeline } from "../../shared/panels.ts";

/** The migration LEARNER to CUSTOMER as it goes on, and what it does to everybody else. */
export function roleMigrationDashboard(): DashboardBuilder {
  return dashboard("stories", "stories-role-migration", "1001 Stories: role migration", "LEARNER to CUSTOMER as it goes on, and what it does to everybody else")
    .withPanel(stat({ title: "Learners left", description: "Zero when the migration is done", expr: "max(role_migration_learners_left)", steps: [[null, "green"], [1, "orange"]], width: 6 }))
    .withPanel(stat({ title: "Users migrated", description: "Rows of role_migration_log", expr: "max(role_migration_log_rows)", width: 6 }))
    .withPanel(
      stat({
        title: "Last user migrated",
        description: "How long ago; nothing before the first",
        expr: "time() - max(role_migration_last_timestamp_seconds > 0)",
        unit: "dtdurations",
        width: 6,
      }),
    )
    .withPanel(stat({ title: "Migration mode", description: "1: the app treats LEARNER as CUSTOMER", expr: "max(role_migration_mode)", steps: [[null, "orange"], [1, "green"]], width: 6 }))
    .withPanel(
      timeline({ title: "Users by role", description: "The sum must not change", queries: { "{{role}}": "max by (role) (role_migration_users)" }, stacked: true, width: 12 }),
    )
    .withPanel(
      timeline({
        title: "Users migrated a minute",
        description: "Falls to zero when it is done, or when it waits",
        queries: { "a minute": "deriv(role_migration_log_rows[2m]) * 60" },
        width: 12,
      }),
    )
    .withRow(new RowBuilder("What it does to others"))
    .withPanel(
      timeline({
        title: "Queries",
        description: "95th percentile of each, as the app sees it",
        queries: { "{{query}}": "histogram_quantile(0.95, sum by (le, query) (rate(app_database_query_duration_seconds_bucket[$__rate_interval])))" },
        unit: "s",
      }),
    )
    .withPanel(
      timeline({
        title: "Locks",
        description: "By mode; AccessExclusiveLock stops everybody",
        queries: { "{{mode}}": 'sum by (mode) (pg_locks_count{datname!~"template.*"})' },
        stacked: true,
      }),
    )
    .withPanel(
      timeline({
        title: "Longest transaction",
        description: "By state of its session",
        queries: { "{{datname}} {{state}}": 'pg_stat_activity_max_tx_duration{datname!~"template.*"} > 0' },
        unit: "s",
      }),
    )
    .withPanel(
      timeline({
        title: "Connections lost and tried again",
        description: "Statements that the app had to repeat, a minute",
        queries: { retries: "rate(app_database_retries_total[$__rate_interval]) * 60" },
        width: 12,
      }),
    )
    .withPanel(
      timeline({
        title: "Requests that failed",
        description: "A second",
        queries: { "{{route}} {{status}}": 'sum by (route, status) (rate(http_request_duration_seconds_count{status=~"5.."}[$__rate_interval]))' },
        unit: "reqps",
        width: 12,
      }),
    );
}
