import { stringify } from "yaml";

/** Something that Prometheus asks for metrics. */
export interface ScrapeTarget {
  /** Becomes the label `job`; alerts and dashboards select by it. */
  readonly job: string;
  readonly host: string;
  readonly port: number;
  /** Default `/metrics`. */
  readonly metricsPath?: string;
  /** Default `http`. */
  readonly scheme?: "http" | "https";
  /** Further labels; `__param_NAME` is a parameter of the request, `instance` names what is behind an exporter of several. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface PrometheusConfInput {
  /** At least 2: the PostgreSQL exporter takes a second to say that the server is gone, and a scrape may not outlast the interval. */
  readonly scrapeIntervalSeconds: number;
  readonly targets: readonly ScrapeTarget[];
  /** Alert rules: absolute, or relative to the configuration file. */
  readonly ruleFiles: readonly string[];
  /** Where alerts are sent; without one they are shown by Prometheus alone. */
  readonly alertmanager?: { readonly host: string; readonly port: number };
  /** Added to everything that leaves this Prometheus, e.g. `{ stack: "local" }`. */
  readonly externalLabels?: Readonly<Record<string, string>>;
}

/** Renders `prometheus.yml` for Prometheus 2.42 or newer. Pure: the same input, the same text. */
export function renderPrometheusConf(input: PrometheusConfInput): string {
  const { scrapeIntervalSeconds, targets, ruleFiles, alertmanager, externalLabels = {} } = input;
  const jobs = [...new Set(targets.map((target) => target.job))];
  return banner + stringify({
    global: {
      scrape_interval: `${scrapeIntervalSeconds}s`,
      // Never longer than the interval: Prometheus refuses that.
      scrape_timeout: `${Math.min(scrapeIntervalSeconds, 10)}s`,
      evaluation_interval: `${scrapeIntervalSeconds}s`,
      external_labels: externalLabels,
    },
    rule_files: ruleFiles,
    ...(alertmanager === undefined
      ? {}
      : { alerting: { alertmanagers: [{ static_configs: [{ targets: [address(alertmanager)] }] }] } }),
    scrape_configs: jobs.map((job) => {
      const ofJob = targets.filter((target) => target.job === job);
      const { metricsPath = "/metrics", scheme = "http" } = ofJob[0] ?? {};
      return {
        job_name: job,
        metrics_path: metricsPath,
        scheme,
        ...(scheme === "https" ? { tls_config: { insecure_skip_verify: true } } : {}),
        static_configs: staticConfigs(ofJob),
      };
    }),
  });
}

/** Targets with labels of their own apart, all others together. */
function staticConfigs(targets: readonly ScrapeTarget[]): object[] {
  const plain = targets.filter(({ labels }) => labels === undefined);
  const labelled = targets.filter(({ labels }) => labels !== undefined);
  return [
    ...(plain.length === 0 ? [] : [{ targets: plain.map(address) }]),
    ...labelled.map((target) => ({ targets: [address(target)], labels: target.labels })),
  ];
}

const banner = "# Written by Understudy; changes here are overwritten by the next `up`.\n";

function address({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host}:${port}`;
}
