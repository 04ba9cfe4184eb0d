import { RowBuilder, type DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { dashboard, stat, timeline, type Steps } from "../../shared/panels.ts";

const downIsRed: Steps = [[null, "red"], [1, "green"]];

/** PostgreSQL and Redis. */
export function dataDashboard(): DashboardBuilder {
  return dashboard("stories", "stories-data", "1001 Stories: database and cache", "PostgreSQL and Redis")
    .withPanel(stat({ title: "PostgreSQL", description: "1: answers the exporter", expr: "min(pg_up)", steps: downIsRed }))
    .withPanel(
      stat({
        title: "Connections",
        description: "Share of max_connections",
        expr: "sum(pg_stat_activity_count) / sum(pg_settings_max_connections)",
        unit: "percentunit",
        steps: [[null, "green"], [0.6, "orange"], [0.8, "red"]],
      }),
    )
    .withPanel(stat({ title: "Size", description: "Of staging's databases", expr: 'sum(pg_database_size_bytes{datname!~"template.*|postgres"})', unit: "bytes" }))
    .withPanel(stat({ title: "Redis", description: "1: answers the exporter", expr: "min(redis_up)", steps: downIsRed }))
    .withPanel(stat({ title: "Keys", description: "Sessions, mostly", expr: "sum(redis_db_keys)" }))
    .withPanel(
      stat({
        title: "Redis memory",
        description: "Share of maxmemory",
        expr: "max(redis_memory_used_bytes / (redis_memory_max_bytes > 0))",
        unit: "percentunit",
        steps: [[null, "green"], [0.7, "orange"], [0.9, "red"]],
      }),
    )
    .withRow(new RowBuilder("PostgreSQL"))
    .withPanel(
      timeline({
        title: "Transactions",
        description: "A second, by database",
        queries: {
          "{{datname}} committed": 'rate(pg_stat_database_xact_commit{datname!~"template.*|"}[$__rate_interval])',
          "{{datname}} rolled back": 'rate(pg_stat_database_xact_rollback{datname!~"template.*|"}[$__rate_interval])',
        },
        unit: "ops",
      }),
    )
    .withPanel(
      timeline({
        title: "Rows",
        description: "Read and written a second",
        queries: {
          fetched: "sum(rate(pg_stat_database_tup_fetched[$__rate_interval]))",
          inserted: "sum(rate(pg_stat_database_tup_inserted[$__rate_interval]))",
          updated: "sum(rate(pg_stat_database_tup_updated[$__rate_interval]))",
          deleted: "sum(rate(pg_stat_database_tup_deleted[$__rate_interval]))",
        },
        unit: "ops",
      }),
    )
    .withPanel(
      timeline({
        title: "Read from memory",
        description: "Share of blocks found in shared buffers",
        queries: { hits: "sum(rate(pg_stat_database_blks_hit[$__rate_interval])) / (sum(rate(pg_stat_database_blks_hit[$__rate_interval])) + sum(rate(pg_stat_database_blks_read[$__rate_interval])))" },
        unit: "percentunit",
      }),
    )
    .withPanel(
      timeline({
        title: "Connections of the app",
        description: "Of its pool, and who waits for one",
        queries: { "{{state}}": "sum by (state) (app_database_pool_connections)", size: "sum(app_database_pool_size)" },
        width: 12,
      }),
    )
    .withPanel(
      timeline({
        title: "Deadlocks and temporary files",
        description: "A minute",
        queries: { deadlocks: "sum(rate(pg_stat_database_deadlocks[$__rate_interval])) * 60", "temporary files": "sum(rate(pg_stat_database_temp_files[$__rate_interval])) * 60" },
        width: 12,
      }),
    )
    .withRow(new RowBuilder("Redis"))
    .withPanel(timeline({ title: "Commands", description: "A second", queries: { commands: "rate(redis_commands_processed_total[$__rate_interval])" }, unit: "ops" }))
    .withPanel(
      timeline({
        title: "Memory",
        description: "Used, and the limit",
        queries: { used: "redis_memory_used_bytes", limit: "redis_memory_max_bytes > 0" },
        unit: "bytes",
      }),
    )
    .withPanel(
      timeline({
        title: "Keys that went",
        description: "A minute: expired as they should, evicted for want of memory",
        queries: { expired: "rate(redis_expired_keys_total[$__rate_interval]) * 60", evicted: "rate(redis_evicted_keys_total[$__rate_interval]) * 60" },
      }),
    );
}
