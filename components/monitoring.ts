import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ComponentResource, type ComponentResourceOptions, type Input, type Output, type Resource } from "@pulumi/pulumi";
import { stagingRoles } from "../engine/staging/database.ts";
import type { Service } from "../platforms/platform.ts";
import type { ConfigFile, ExporterKind } from "../platforms/spec.ts";
import type { App } from "./app.ts";
import type { Cache } from "./cache.ts";
import type { StackContext } from "./context.ts";
import { renderAlertmanagerConf } from "./monitoring/alertmanager-conf.ts";
import { nginxExporter, nodeExporter, postgresExporter, redisExporter, renderCertificateMetrics, type ExporterCommand } from "./monitoring/exporters.ts";
import { renderGrafanaDashboards, renderGrafanaDatasource, renderGrafanaIni } from "./monitoring/grafana.ts";
import { renderPrometheusConf, type ScrapeTarget } from "./monitoring/prometheus-conf.ts";

export interface MonitoringArgs {
  readonly context: StackContext;
  readonly app: App;
  readonly cache: Cache;
  readonly replica: Service | undefined;
  readonly scheduledBackup: Service | undefined;
  readonly databasePassword: Output<string>;
  /** ISO 8601: when the proxy's certificate ends. */
  readonly certificateNotAfter: Output<string>;
  /** What has to be there before an exporter can see it. */
  readonly watched: Readonly<Record<Exclude<ExporterKind, "node">, Resource>>;
}

/** Prometheus with exporters and alerts, Alertmanager, and Grafana where there is one. */
export class Monitoring extends ComponentResource {
  readonly services: readonly Service[];
  readonly urls: Readonly<Record<string, string>>;

  constructor(name: string, args: MonitoringArgs, opts: ComponentResourceOptions) {
    super("understudy:index:Monitoring", name, {}, opts);
    const exporters = createExporters(args, this);
    const alertmanager = createAlertmanager(args.context, this);
    const prometheus = createPrometheus(args, [...exporters, alertmanager, ...args.app.instances, ...(args.scheduledBackup === undefined ? [] : [args.scheduledBackup])], this);
    const grafana = args.context.grafana ? [createGrafana(args.context, prometheus, this)] : [];
    const { ports } = args.context;

    this.services = [...exporters, alertmanager, prometheus, ...grafana];
    this.urls = {
      prometheus: `http://127.0.0.1:${ports.prometheus}`,
      alertmanager: `http://127.0.0.1:${ports.alertmanager}`,
      ...(args.context.grafana ? { grafana: `http://127.0.0.1:${ports.grafana}` } : {}),
    };
    this.registerOutputs({ urls: this.urls });
  }
}

const textfiles = "textfiles";

const replicaExporter = "replica-exporter";

function createExporters(args: MonitoringArgs, parent: Resource): Service[] {
  const { context, watched, replica } = args;
  const { platform, ports, config } = context;
  const at = (service: string, port: number) => platform.addressOf(service, port);
  const listenAt = (service: string, port: number) => platform.listenAddress(service, port);
  const exporter = (
    kind: ExporterKind,
    port: number,
    command: ExporterCommand,
    rest: { readonly name?: string; readonly password?: Input<string>; readonly files?: readonly ConfigFile[]; readonly dependsOn?: readonly Resource[] },
  ) =>
    platform.service(
      {
        name: rest.name ?? `${kind}-exporter`,
        program: { kind: "exporter", exporter: kind, arguments: command.arguments },
        ports: { main: port },
        environment: {
          ...command.environment,
          ...(command.passwordVariable === undefined || rest.password === undefined ? {} : { [command.passwordVariable]: rest.password }),
        },
        ...(rest.files === undefined ? {} : { files: rest.files }),
        logs: { timestamps: false },
        probe: { kind: "http", path: "/metrics", expectStatus: 200 },
        health: config.health,
      },
      { parent, ...(rest.dependsOn === undefined ? {} : { dependsOn: rest.dependsOn }) },
    );
  return [
    exporter("node", ports.nodeExporter, nodeExporter({ listen: listenAt("node-exporter", ports.nodeExporter), textfileFolder: join(platform.configFolder("node-exporter"), textfiles) }), {
      files: [{ path: `${textfiles}/certificate.prom`, content: args.certificateNotAfter.apply(renderCertificateMetrics) }],
    }),
    exporter(
      "postgres",
      ports.postgresExporter,
      postgresExporter({ listen: listenAt("postgres-exporter", ports.postgresExporter), server: at("database", ports.database), user: stagingRoles.readOnly }),
      { password: args.databasePassword, dependsOn: [watched.postgres] },
    ),
    ...(replica === undefined
      ? []
      : [
          exporter(
            "postgres",
            ports.replicaExporter,
            postgresExporter({ listen: listenAt(replicaExporter, ports.replicaExporter), server: at(replica.name, replica.port), user: stagingRoles.readOnly }),
            { name: replicaExporter, password: args.databasePassword, dependsOn: [watched.postgres, replica.resource] },
          ),
        ]),
    exporter("redis", ports.redisExporter, redisExporter({ listen: listenAt("redis-exporter", ports.redisExporter), server: at("cache", ports.cache) }), {
      password: args.cache.password,
      dependsOn: [watched.redis],
    }),
    exporter("nginx", ports.nginxExporter, nginxExporter({ listen: listenAt("nginx-exporter", ports.nginxExporter), status: at("proxy", ports.nginxStatus) }), {
      dependsOn: [watched.nginx],
    }),
  ];
}

function createAlertmanager({ platform, ports, config }: StackContext, parent: Resource): Service {
  return platform.service(
    {
      name: "alertmanager",
      program: { kind: "alertmanager", configFile: "alertmanager.yml" },
      ports: { main: ports.alertmanager },
      files: [{ path: "alertmanager.yml", content: renderAlertmanagerConf() }],
      volume: "alertmanager",
      logs: { timestamps: false },
      probe: { kind: "http", path: "/-/ready", expectStatus: 200 },
      health: config.health,
    },
    { parent, volume: platform.volume("alertmanager", "alertmanager", { parent }) },
  );
}

/** Rules for what a stack has only when it is asked for. */
const topologyAlerts = join(import.meta.dirname, "monitoring", "topology-alerts.yaml");

function isLarge({ replica, cache, scheduledBackup }: MonitoringArgs): boolean {
  return replica !== undefined || cache.nodes.length > 0 || scheduledBackup !== undefined;
}

function targetsOf({ context, app, cache, replica, scheduledBackup }: MonitoringArgs): ScrapeTarget[] {
  const { platform, ports } = context;
  const target = (job: string, service: string, port: number) => ({ job, ...platform.addressOf(service, port) });
  const redis = target("redis", "redis-exporter", ports.redisExporter);
  return [
    ...app.instances.map(({ name, port }) => ({ ...target("app", name, port), metricsPath: app.metricsPath })),
    target("node", "node-exporter", ports.nodeExporter),
    target("postgres", "postgres-exporter", ports.postgresExporter),
    ...(replica === undefined ? [] : [target("postgres-replica", replicaExporter, ports.replicaExporter)]),
    // One exporter asks every node.
    ...(cache.nodes.length === 0
      ? [redis]
      : cache.nodes.map(({ host, port }) => ({ ...redis, metricsPath: "/scrape", labels: { __param_target: `redis://${host}:${port}`, instance: `${host}:${port}` } }))),
    target("nginx", "nginx-exporter", ports.nginxExporter),
    target("prometheus", "prometheus", ports.prometheus),
    target("alertmanager", "alertmanager", ports.alertmanager),
    ...(scheduledBackup === undefined ? [] : [target("backup", scheduledBackup.name, scheduledBackup.port)]),
  ];
}

function createPrometheus(args: MonitoringArgs, first: readonly Service[], parent: Resource): Service {
  const { context } = args;
  const { platform, ports, config, workload, stack } = context;
  const targets = targetsOf(args);
  const ruleFiles = [
    { path: "rules/alerts.yaml", content: readFileSync(workload.path(workload.manifest.monitoring.rules), "utf8") },
    ...(isLarge(args) ? [{ path: "rules/topology.yaml", content: readFileSync(topologyAlerts, "utf8") }] : []),
  ];
  const { scrapeIntervalSeconds, retention } = config.monitoring;
  return platform.service(
    {
      name: "prometheus",
      program: { kind: "prometheus", configFile: "prometheus.yml", retention },
      ports: { main: ports.prometheus },
      files: [
        {
          path: "prometheus.yml",
          content: renderPrometheusConf({
            scrapeIntervalSeconds,
            targets,
            ruleFiles: ruleFiles.map(({ path }) => path),
            alertmanager: platform.addressOf("alertmanager", ports.alertmanager),
            externalLabels: { stack },
          }),
        },
        ...ruleFiles,
      ],
      volume: "prometheus",
      logs: { timestamps: false },
      probe: { kind: "prometheus-targets", jobs: [...new Set(targets.map(({ job }) => job))] },
      health: config.health,
    },
    { parent, volume: platform.volume("prometheus", "prometheus", { parent }), dependsOn: first.map(({ resource }) => resource) },
  );
}

function createGrafana({ platform, ports, config, workload }: StackContext, prometheus: Service, parent: Resource): Service {
  const folder = platform.configFolder("grafana");
  const dashboards = workload.path(workload.manifest.monitoring.dashboards);
  const provisioning = `${folder}/provisioning`;
  const source = platform.addressOf(prometheus.name, prometheus.port);
  return platform.service(
    {
      name: "grafana",
      program: { kind: "grafana", configFile: "grafana.ini" },
      ports: { main: ports.grafana },
      environment: { GF_SECURITY_ADMIN_PASSWORD: platform.secret("grafana-admin-password", { parent }) },
      files: [
        {
          path: "grafana.ini",
          content: renderGrafanaIni({ listen: platform.listenAddress("grafana", ports.grafana), dataFolder: `${platform.scratchFolder("grafana")}/data`, provisioningFolder: provisioning }),
        },
        {
          path: "provisioning/datasources/prometheus.yaml",
          content: renderGrafanaDatasource({ prometheusUrl: `http://${source.host}:${source.port}`, scrapeIntervalSeconds: config.monitoring.scrapeIntervalSeconds }),
        },
        { path: "provisioning/dashboards/understudy.yaml", content: renderGrafanaDashboards({ folder: `${folder}/dashboards`, title: workload.manifest.title }) },
        ...readdirSync(dashboards)
          .filter((file) => file.endsWith(".json"))
          .map((file) => ({ path: `dashboards/${file}`, content: readFileSync(join(dashboards, file), "utf8") })),
      ],
      probe: { kind: "http", path: "/api/health", expectStatus: 200 },
      health: config.health,
    },
    { parent, dependsOn: [prometheus.resource] },
  );
}
