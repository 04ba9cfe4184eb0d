import { stringify } from "yaml";

/** The datasource's identifier; dashboards refer to it. */
export const prometheusDatasourceUid = "prometheus";

export interface GrafanaInput {
  readonly listen: { readonly host: string; readonly port: number };
  /** Absolute; holds Grafana's database, logs and plugins. */
  readonly dataFolder: string;
  /** Absolute; holds `datasources/` and `dashboards/` with the two provisioning files. */
  readonly provisioningFolder: string;
}

/**
 * Renders `grafana.ini`: on the loopback, everybody may look and nobody may change, nothing is sent or fetched.
 * The administrator's password comes as `GF_SECURITY_ADMIN_PASSWORD` in the environment.
 */
export function renderGrafanaIni({ listen, dataFolder, provisioningFolder }: GrafanaInput): string {
  const sections = {
    paths: { data: dataFolder, logs: `${dataFolder}/log`, plugins: `${dataFolder}/plugins`, provisioning: provisioningFolder },
    server: { protocol: "http", http_addr: listen.host, http_port: listen.port, domain: "localhost" },
    analytics: { reporting_enabled: false, check_for_updates: false, check_for_plugin_updates: false },
    security: { admin_user: "admin", disable_gravatar: true, cookie_samesite: "strict" },
    users: { allow_sign_up: false, default_theme: "system" },
    "auth.anonymous": { enabled: true, org_role: "Viewer" },
    dashboards: { default_home_dashboard_path: "" },
    news: { news_feed_enabled: false },
    plugins: { public_key_retrieval_disabled: true },
    log: { mode: "console", level: "warn" },
  };
  return Object.entries(sections)
    .map(([name, values]) => `[${name}]\n${Object.entries(values).map(([key, value]) => `${key} = ${value}\n`).join("")}`)
    .join("\n");
}

/** Renders `datasources/prometheus.yaml`. */
export function renderGrafanaDatasource(input: { readonly prometheusUrl: string; readonly scrapeIntervalSeconds: number }): string {
  return stringify({
    apiVersion: 1,
    datasources: [
      {
        name: "Prometheus",
        uid: prometheusDatasourceUid,
        type: "prometheus",
        access: "proxy",
        url: input.prometheusUrl,
        isDefault: true,
        editable: false,
        jsonData: { timeInterval: `${input.scrapeIntervalSeconds}s` },
      },
    ],
  });
}

/** Renders `dashboards/understudy.yaml`; `folder` (absolute) holds the dashboards as JSON. */
export function renderGrafanaDashboards(input: { readonly folder: string; readonly title: string }): string {
  return stringify({
    apiVersion: 1,
    providers: [
      {
        name: "understudy",
        folder: input.title,
        type: "file",
        disableDeletion: true,
        allowUiUpdates: false,
        options: { path: input.folder, foldersFromFilesStructure: false },
      },
    ],
  });
}
