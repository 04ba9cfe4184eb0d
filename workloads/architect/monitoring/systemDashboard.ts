import { RowBuilder, type DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { dashboard, stat, timeline, type Steps } from "../../shared/panels.ts";

const downIsRed: Steps = [[null, "red"], [1, "green"]];
const share = (orange: number, red: number): Steps => [[null, "green"], [orange, "orange"], [red, "red"]];

/** What it runs on: instances, PostgreSQL and its replica, the Redis nodes, nginx, the machine. */
export function systemDashboard(): DashboardBuilder {
  return dashboard("architect", "architect-system", "Architect: system metrics", "Instances, PostgreSQL and its replica, the Redis nodes, nginx, the machine")
    .withPanel(stat({ title: "Instances up", description: "Of the API", expr: 'count(up{job="app"} == 1) or vector(0)', steps: downIsRed }))
    .withPanel(stat({ title: "PostgreSQL", description: "1: every server answers its exporter", expr: "min(pg_up)", steps: downIsRed }))
    .withPanel(stat({ title: "Redis", description: "1: every node answers its exporter", expr: "min(redis_up)", steps: downIsRed }))
    .withPanel(stat({ title: "Processors", description: "In use; target under 70 %", expr: '1 - avg(rate(node_cpu_seconds_total{mode="idle"}[1m]))', unit: "percentunit", steps: share(0.5, 0.7) }))
    .withPanel(stat({ title: "Memory", description: "In use; target under 80 %", expr: "max(1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)", unit: "percentunit", steps: share(0.65, 0.8) }))
    .withPanel(
      stat({
        title: "Connections",
        description: "Busiest pool of an instance; target under 80 %",
        expr: 'max(database_connections{state="busy"} / on (instance, server) group_left () database_connections_max)',
        unit: "percentunit",
        steps: share(0.6, 0.8),
      }),
    )
    .withRow(new RowBuilder("Instances"))
    .withPanel(timeline({ title: "Memory", description: "Resident", queries: { "{{instance}}": 'process_resident_memory_bytes{job="app"}' }, unit: "bytes" }))
    .withPanel(timeline({ title: "Processor", description: "Cores in use", queries: { "{{instance}}": 'rate(process_cpu_seconds_total{job="app"}[$__rate_interval])' } }))
    .withPanel(timeline({ title: "Event loop", description: "99th percentile of its stalls", queries: { "{{instance}}": 'nodejs_eventloop_lag_p99_seconds{job="app"}' }, unit: "s" }))
    .withPanel(timeline({ title: "Components", description: "1 healthy, 0.5 degraded, 0 down, by instance", queries: { "{{instance}} {{component}}": "component_up" }, width: 24 }))
    .withRow(new RowBuilder("PostgreSQL"))
    .withPanel(
      timeline({
        title: "Transactions",
        description: "A second, by server and database",
        queries: { "{{job}} {{datname}}": 'rate(pg_stat_database_xact_commit{datname!~"template.*|postgres|"}[$__rate_interval])' },
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
    .withPanel(timeline({ title: "Replica behind", description: "Bytes of the primary's log that the replica has not applied; nothing without one", queries: { "{{application_name}}": "pg_stat_replication_pg_wal_lsn_diff" }, unit: "bytes" }))
    .withRow(new RowBuilder("Redis"))
    .withPanel(timeline({ title: "Commands", description: "A second, by node", queries: { "{{instance}}": "rate(redis_commands_processed_total[$__rate_interval])" }, unit: "ops" }))
    .withPanel(timeline({ title: "Memory", description: "By node", queries: { "{{instance}}": "redis_memory_used_bytes" }, unit: "bytes" }))
    .withPanel(timeline({ title: "Keys", description: "By node: sessions and what is remembered", queries: { "{{instance}}": "sum by (instance) (redis_db_keys)" } }))
    .withRow(new RowBuilder("Proxy and machine"))
    .withPanel(timeline({ title: "nginx", description: "Connections by what they do", queries: { active: "nginx_connections_active", waiting: "nginx_connections_waiting", writing: "nginx_connections_writing" } }))
    .withPanel(timeline({ title: "Processors", description: "Share by what they do", queries: { "{{mode}}": 'avg by (mode) (rate(node_cpu_seconds_total{mode!="idle"}[$__rate_interval]))' }, unit: "percentunit", stacked: true }))
    .withPanel(
      timeline({
        title: "Memory and disk",
        description: "Share in use",
        queries: { memory: "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", "{{mountpoint}}": "1 - node_filesystem_avail_bytes / node_filesystem_size_bytes" },
        unit: "percentunit",
      }),
    );
}
