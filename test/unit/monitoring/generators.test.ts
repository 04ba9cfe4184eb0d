import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { renderAlertmanagerConf } from "../../../components/monitoring/alertmanager-conf.ts";
import {
  nginxExporter,
  nodeExporter,
  postgresExporter,
  redisExporter,
  renderCertificateMetrics,
} from "../../../components/monitoring/exporters.ts";
import {
  prometheusDatasourceUid,
  renderGrafanaDashboards,
  renderGrafanaDatasource,
  renderGrafanaIni,
} from "../../../components/monitoring/grafana.ts";
import { renderPrometheusConf } from "../../../components/monitoring/prometheus-conf.ts";

const listen = { host: "127.0.0.1", port: 9999 };
const server = { host: "127.0.0.1", port: 5434 };

describe("prometheus.yml", () => {
  test("one job for all targets of its name, alerts to Alertmanager", () => {
    const conf: unknown = parse(
      renderPrometheusConf({
        scrapeIntervalSeconds: 15,
        targets: [
          { job: "app", host: "127.0.0.1", port: 3001 },
          { job: "app", host: "127.0.0.1", port: 3011 },
          { job: "web", host: "[::1]", port: 8080, scheme: "https", metricsPath: "/m" },
        ],
        ruleFiles: ["alerts.yaml"],
        alertmanager: { host: "127.0.0.1", port: 9094 },
        externalLabels: { stack: "local" },
      }),
    );
    expect(conf).toEqual({
      global: { scrape_interval: "15s", scrape_timeout: "10s", evaluation_interval: "15s", external_labels: { stack: "local" } },
      rule_files: ["alerts.yaml"],
      alerting: { alertmanagers: [{ static_configs: [{ targets: ["127.0.0.1:9094"] }] }] },
      scrape_configs: [
        { job_name: "app", metrics_path: "/metrics", scheme: "http", static_configs: [{ targets: ["127.0.0.1:3001", "127.0.0.1:3011"] }] },
        { job_name: "web", metrics_path: "/m", scheme: "https", tls_config: { insecure_skip_verify: true }, static_configs: [{ targets: ["[::1]:8080"] }] },
      ],
    });
  });

  test("a timeout never exceeds its interval", () => {
    const conf = parse(renderPrometheusConf({ scrapeIntervalSeconds: 2, targets: [], ruleFiles: ["r"] })) as { global: unknown };
    expect(conf.global).toMatchObject({ scrape_interval: "2s", scrape_timeout: "2s" });
  });
});

describe("alertmanager.yml", () => {
  test("keeps everything here unless a webhook is given", () => {
    expect(parse(renderAlertmanagerConf())).toMatchObject({ route: { receiver: "staging" }, receivers: [{ name: "staging" }] });
    expect(renderAlertmanagerConf()).not.toContain("_configs");
    expect(parse(renderAlertmanagerConf({ webhookUrl: "http://127.0.0.1:1/x" }))).toMatchObject({
      receivers: [{ name: "staging", webhook_configs: [{ url: "http://127.0.0.1:1/x", send_resolved: true }] }],
    });
  });
});

describe("exporters", () => {
  const commands = {
    node: nodeExporter({ listen, textfileFolder: "/t" }),
    postgres: postgresExporter({ listen, server, user: "staging_readonly" }),
    redis: redisExporter({ listen, server }),
    nginx: nginxExporter({ listen, status: server }),
  };

  test("listen where they are told, on the loopback", () => {
    for (const command of Object.values(commands)) {
      expect(command.arguments.filter((argument) => /web\.listen-address/.test(argument))).toHaveLength(1);
      expect(command.arguments.join(" ")).toMatch(/--?web\.listen-address=127\.0\.0\.1:9999/);
    }
  });

  test("take their password from the environment", () => {
    expect(Object.fromEntries(Object.entries(commands).map(([name, { passwordVariable }]) => [name, passwordVariable]))).toEqual({
      node: undefined, postgres: "DATA_SOURCE_PASS", redis: "REDIS_PASSWORD", nginx: undefined,
    });
    expect(commands.postgres.environment["DATA_SOURCE_URI"]).toBe("127.0.0.1:5434/postgres?sslmode=disable&connect_timeout=3&application_name=postgres_exporter");
    expect(commands.redis.environment).toEqual({ REDIS_ADDR: "redis://127.0.0.1:5434" });
  });

  test("the certificate's end in seconds", () => {
    expect(renderCertificateMetrics("2030-01-01T00:00:00.000Z")).toMatch(/^understudy_certificate_not_after_seconds 1893456000$/m);
  });
});

describe("grafana", () => {
  test("listens on the loopback, lets people look, calls nobody", () => {
    const ini = renderGrafanaIni({ listen: { host: "127.0.0.1", port: 3002 }, dataFolder: "/d", provisioningFolder: "/p" });
    for (const line of ["http_addr = 127.0.0.1", "http_port = 3002", "data = /d", "provisioning = /p", "reporting_enabled = false", "org_role = Viewer"]) {
      expect(ini.split("\n")).toContain(line);
    }
    expect(ini).not.toContain("password");
  });

  test("finds its datasource and its dashboards", () => {
    expect(parse(renderGrafanaDatasource({ prometheusUrl: "http://127.0.0.1:9091", scrapeIntervalSeconds: 5 }))).toMatchObject({
      apiVersion: 1,
      datasources: [{ uid: prometheusDatasourceUid, type: "prometheus", url: "http://127.0.0.1:9091", isDefault: true, jsonData: { timeInterval: "5s" } }],
    });
    expect(parse(renderGrafanaDashboards({ folder: "/dashboards", title: "1001 Stories" }))).toMatchObject({
      providers: [{ type: "file", folder: "1001 Stories", options: { path: "/dashboards" } }],
    });
  });
});
