import { RowBuilder, type DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { dashboard, stat, timeline, type Steps } from "../../shared/panels.ts";

const buckets = 'http_request_duration_seconds_bucket{route!~"/metrics|/health"}';
const quantile = (share: number, range: string, by = "le") => `histogram_quantile(${share}, sum by (${by}) (rate(${buckets}[${range}])))`;

/** Green under the target, red at it: latency in seconds. */
const latencySteps = (target: number): Steps => [[null, "green"], [target / 2, "orange"], [target, "red"]];

/** Is the API fast: document 003's targets first, then where the time goes. */
export function performanceDashboard(): DashboardBuilder {
  return dashboard("architect", "architect-api", "Architect: API performance", "Latency, throughput and errors against their targets, and where the time goes")
    .withPanel(stat({ title: "p50", description: "Target: under 100 ms", expr: quantile(0.5, "5m"), unit: "s", steps: latencySteps(0.1) }))
    .withPanel(stat({ title: "p95", description: "Target: under 500 ms", expr: quantile(0.95, "5m"), unit: "s", steps: latencySteps(0.5) }))
    .withPanel(stat({ title: "p99", description: "Target: under 1 s", expr: quantile(0.99, "5m"), unit: "s", steps: latencySteps(1) }))
    .withPanel(stat({ title: "Requests", description: "A second; 500 are aimed at, 1000 at the peak", expr: "sum(rate(http_requests_total[1m]))", unit: "reqps", decimals: 0 }))
    .withPanel(
      stat({
        title: "Errors",
        description: "Share answered with 5xx; target under 0.1 %, acceptable under 1 %",
        expr: 'sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m])) or vector(0)',
        unit: "percentunit",
        decimals: 2,
        steps: [[null, "green"], [0.001, "orange"], [0.01, "red"]],
      }),
    )
    .withPanel(stat({ title: "Cache", description: "Share of cached reads that the cache had", expr: "avg(cache_hit_ratio)", unit: "percentunit", steps: [[null, "red"], [0.1, "orange"], [0.5, "green"]] }))
    .withRow(new RowBuilder("Requests"))
    .withPanel(
      timeline({
        title: "Latency",
        description: "Health and metrics left out",
        queries: { p50: quantile(0.5, "$__rate_interval"), p95: quantile(0.95, "$__rate_interval"), p99: quantile(0.99, "$__rate_interval") },
        unit: "s",
        width: 12,
      }),
    )
    .withPanel(
      timeline({ title: "Requests by status", description: "A second", queries: { "{{status}}": "sum by (status) (rate(http_requests_total[$__rate_interval]))" }, unit: "reqps", stacked: true, width: 12 }),
    )
    .withPanel(timeline({ title: "p95 by route", description: "The five slowest", queries: { "{{route}}": `topk(5, ${quantile(0.95, "$__rate_interval", "le, route")})` }, unit: "s", width: 12 }))
    .withPanel(
      timeline({ title: "Requests by instance", description: "A second: shared out evenly, and taken over while one restarts", queries: { "{{instance}}": "sum by (instance) (rate(http_requests_total[$__rate_interval]))" }, unit: "reqps", width: 12 }),
    )
    .withRow(new RowBuilder("Database and cache, as the API sees them"))
    .withPanel(
      timeline({
        title: "p95 by query",
        description: "The five slowest",
        queries: { "{{query}}": "topk(5, histogram_quantile(0.95, sum by (le, query) (rate(database_query_duration_seconds_bucket[$__rate_interval]))))" },
        unit: "s",
      }),
    )
    .withPanel(
      timeline({
        title: "Queries by server",
        description: "A second: reads go to the replica while it answers",
        queries: { "{{server}}": "sum by (server) (rate(database_query_duration_seconds_count[$__rate_interval]))" },
        unit: "ops",
      }),
    )
    .withPanel(
      timeline({
        title: "Connections",
        description: "Of the pools, and requests that wait for one",
        queries: { "{{server}} {{state}}": "sum by (server, state) (database_connections)", "{{server}} most": "sum by (server) (database_connections_max)" },
      }),
    )
    .withPanel(timeline({ title: "Cache hits", description: "Share of cached reads, by instance", queries: { "{{instance}}": "cache_hit_ratio" }, unit: "percentunit" }))
    .withPanel(
      timeline({ title: "Cache operations", description: "A second", queries: { "{{operation}} {{result}}": "sum by (operation, result) (rate(cache_operations_total[$__rate_interval]))" }, unit: "ops" }),
    )
    .withPanel(timeline({ title: "Taken in", description: "A minute", queries: { events: "sum(rate(events_created_total[$__rate_interval])) * 60", errors: "sum(rate(errors_reported_total[$__rate_interval])) * 60" } }));
}
