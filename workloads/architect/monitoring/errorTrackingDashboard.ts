import { RowBuilder, type DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { dashboard, stat, timeline, type Steps } from "../../shared/panels.ts";

const anyIsBad: Steps = [[null, "green"], [1, "red"]];

/** What goes wrong: in the API itself, in what it depends on, and in the programs that report to it. */
export function errorTrackingDashboard(): DashboardBuilder {
  return dashboard("architect", "architect-errors", "Architect: error tracking", "What goes wrong: in the API, in what it depends on, and in the programs that report to it")
    .withPanel(
      stat({
        title: "Worst instance",
        description: "Share of its requests of the last minute that failed",
        expr: "max(error_rate)",
        unit: "percentunit",
        decimals: 2,
        steps: [[null, "green"], [0.001, "orange"], [0.01, "red"]],
      }),
    )
    .withPanel(stat({ title: "Failed requests", description: "In the last hour", expr: 'sum(increase(http_requests_total{status=~"5.."}[1h])) or vector(0)', decimals: 0, steps: anyIsBad }))
    .withPanel(stat({ title: "Alerts firing", description: "Of any severity", expr: 'count(ALERTS{alertstate="firing"}) or vector(0)', steps: anyIsBad }))
    .withPanel(stat({ title: "Errors reported", description: "By other programs, in the last hour", expr: "sum(increase(errors_reported_total[1h]))", decimals: 0 }))
    .withPanel(stat({ title: "Sign-ins refused", description: "In the last hour", expr: 'sum(increase(sign_ins_total{result="refused"}[1h]))', decimals: 0 }))
    .withPanel(stat({ title: "Webhooks failed", description: "Attempts in the last hour", expr: 'sum(increase(webhook_deliveries_total{result="failed"}[1h]))', decimals: 0 }))
    .withRow(new RowBuilder("The API"))
    .withPanel(timeline({ title: "Error rate", description: "By instance, of the last minute", queries: { "{{instance}}": "error_rate" }, unit: "percentunit", width: 12 }))
    .withPanel(
      timeline({
        title: "Failed requests",
        description: "A second, by route and status",
        queries: { "{{route}} {{status}}": 'sum by (route, status) (rate(http_requests_total{status=~"5.."}[$__rate_interval]))' },
        unit: "reqps",
        width: 12,
      }),
    )
    .withPanel(
      timeline({
        title: "Refused requests",
        description: "A second, by status: 401 not signed in, 403 not allowed, 400 does not fit",
        queries: { "{{status}}": 'sum by (status) (rate(http_requests_total{status=~"4.."}[$__rate_interval]))' },
        unit: "reqps",
        width: 12,
      }),
    )
    .withPanel(
      timeline({ title: "Sign-ins", description: "A minute", queries: { "{{result}}": "sum by (result) (rate(sign_ins_total[$__rate_interval])) * 60" }, width: 12 }),
    )
    .withRow(new RowBuilder("What it depends on"))
    .withPanel(
      timeline({ title: "Connections lost and tried again", description: "A minute, by server; nobody has noticed these", queries: { "{{server}}": "sum by (server) (rate(database_retries_total[$__rate_interval])) * 60" } }),
    )
    .withPanel(
      timeline({ title: "Cache operations that failed", description: "A second; sessions are asked for again", queries: { "{{operation}}": 'sum by (operation) (rate(cache_operations_total{result="error"}[$__rate_interval]))' }, unit: "ops" }),
    )
    .withPanel(timeline({ title: "Webhook deliveries", description: "A minute, by outcome", queries: { "{{result}}": "sum by (result) (rate(webhook_deliveries_total[$__rate_interval])) * 60" } }))
    .withRow(new RowBuilder("Programs that report here"))
    .withPanel(timeline({ title: "Errors reported", description: "A minute", queries: { errors: "sum(rate(errors_reported_total[$__rate_interval])) * 60" }, width: 24 }));
}
