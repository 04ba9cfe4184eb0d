import { RowBuilder, type DashboardBuilder } from "@grafana/grafana-foundation-sdk/dashboard";
import { dashboard, stat, timeline, type Steps } from "../../shared/panels.ts";

const anyIsBad: Steps = [[null, "green"], [1, "red"]];

/** What somebody looks at first: is it up, is it fast, does it fail, has the machine room left. */
export function overviewDashboard(): DashboardBuilder {
  return dashboard("stories", "stories-staging", "1001 Stories: staging", "Is it up, is it fast, does it fail, has the machine room left")
    .withPanel(stat({ title: "Services down", description: "Targets that Prometheus cannot reach", expr: "count(up == 0) or vector(0)", steps: anyIsBad }))
    .withPanel(stat({ title: "Alerts firing", description: "Of any severity", expr: 'count(ALERTS{alertstate="firing"}) or vector(0)', steps: anyIsBad }))
    .withPanel(
      stat({
        title: "Errors",
        description: "Share of requests answered with 5xx",
        expr: 'sum(rate(http_request_duration_seconds_count{status=~"5.."}[5m])) / sum(rate(http_request_duration_seconds_count[5m])) or vector(0)',
        unit: "percentunit",
        decimals: 1,
        steps: [[null, "green"], [0.01, "orange"], [0.05, "red"]],
      }),
    )
    .withPanel(
      stat({
        title: "Slow pages",
        description: "95th percentile, health and metrics left out; document 004 asks for under 3 s",
        expr: 'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{route!~"/metrics|/api/health"}[5m])))',
        unit: "s",
        decimals: 2,
        steps: [[null, "green"], [1, "orange"], [3, "red"]],
      }),
    )
    .withPanel(
      stat({
        title: "Slow queries",
        description: "95th percentile as the app sees it; document 004 asks for under 100 ms",
        expr: "histogram_quantile(0.95, sum by (le) (rate(app_database_query_duration_seconds_bucket[5m])))",
        unit: "s",
        decimals: 0,
        steps: [[null, "green"], [0.05, "orange"], [0.1, "red"]],
      }),
    )
    .withPanel(
      stat({
        title: "Certificate",
        description: "Until it ends; renewed by `up` under 30 days",
        expr: "min(understudy_certificate_not_after_seconds) - time()",
        unit: "dtdurations",
        steps: [[null, "red"], [21 * 86_400, "orange"], [30 * 86_400, "green"]],
      }),
    )
    .withRow(new RowBuilder("Application"))
    .withPanel(
      timeline({
        title: "Requests",
        description: "A second, by status",
        queries: { "{{status}}": "sum by (status) (rate(http_request_duration_seconds_count[$__rate_interval]))" },
        unit: "reqps",
        stacked: true,
      }),
    )
    .withPanel(
      timeline({
        title: "Time to answer",
        description: "Health and metrics left out",
        queries: Object.fromEntries(
          [0.5, 0.95, 0.99].map((quantile) => [
            `p${quantile * 100}`,
            `histogram_quantile(${quantile}, sum by (le) (rate(http_request_duration_seconds_bucket{route!~"/metrics|/api/health"}[$__rate_interval])))`,
          ]),
        ),
        unit: "s",
      }),
    )
    .withPanel(
      timeline({
        title: "Slowest routes",
        description: "Mean time by route, the five longest",
        queries: {
          "{{route}}":
            "topk(5, sum by (route) (rate(http_request_duration_seconds_sum[$__rate_interval])) / sum by (route) (rate(http_request_duration_seconds_count[$__rate_interval])))",
        },
        unit: "s",
      }),
    )
    .withPanel(
      timeline({
        title: "Components",
        description: "Time of each health probe",
        queries: { "{{component}}": "app_component_latency_seconds" },
        unit: "s",
      }),
    )
    .withPanel(
      timeline({
        title: "Sign-ins and orders",
        description: "A minute",
        queries: { "sign-ins {{result}}": "rate(app_sign_ins_total[$__rate_interval]) * 60", orders: "rate(app_orders_created_total[$__rate_interval]) * 60" },
      }),
    )
    .withPanel(
      timeline({
        title: "Process",
        description: "Memory, and the 99th percentile of event loop stalls",
        queries: { "memory MiB": 'process_resident_memory_bytes{job="app"} / 1024 / 1024', "stall ms": "nodejs_eventloop_lag_p99_seconds * 1000" },
      }),
    )
    .withRow(new RowBuilder("Proxy and machine"))
    .withPanel(
      timeline({
        title: "nginx",
        description: "Connections by what they do",
        queries: { active: "nginx_connections_active", waiting: "nginx_connections_waiting", writing: "nginx_connections_writing" },
      }),
    )
    .withPanel(
      timeline({
        title: "Processor",
        description: "Share of all cores in use",
        queries: { used: '1 - avg(rate(node_cpu_seconds_total{mode="idle"}[$__rate_interval]))' },
        unit: "percentunit",
      }),
    )
    .withPanel(
      timeline({
        title: "Memory and disk",
        description: "Share in use",
        queries: {
          memory: "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
          "{{mountpoint}}": "1 - node_filesystem_avail_bytes / node_filesystem_size_bytes",
        },
        unit: "percentunit",
      }),
    );
}
