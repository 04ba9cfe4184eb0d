import { chmod, chown, cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { renderAlertmanagerConf } from "../../components/monitoring/alertmanager-conf.ts";
import {
  nginxExporter,
  nodeExporter,
  postgresExporter,
  redisExporter,
  renderCertificateMetrics,
  type ExporterCommand,
} from "../../components/monitoring/exporters.ts";
import { renderPrometheusConf } from "../../components/monitoring/prometheus-conf.ts";
import { stagingRoles } from "../../engine/staging/database.ts";
import { startChild, type TestChild } from "./child.ts";
import { startNginx, type TestNginx } from "./nginx.ts";
import { freePort } from "./ports.ts";
import { startStoriesApp, type TestStoriesApp } from "./storiesApp.ts";
import { unprivileged } from "./unprivileged.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));

/** The monitoring of a stack with everything it watches: real exporters, Prometheus, Alertmanager. */
export interface TestMonitoring {
  readonly app: TestStoriesApp;
  readonly nginx: TestNginx;
  readonly prometheusPort: number;
  readonly alertmanagerPort: number;
  readonly children: Readonly<Record<string, TestChild>>;
  /** Port of each job's metrics. */
  readonly jobs: Readonly<Record<string, number>>;
  /** Runs a PromQL query now. */
  query(promql: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]>;
  stop(): Promise<void>;
}

export async function startMonitoring(scrapeIntervalSeconds = 2): Promise<TestMonitoring> {
  const app = await startStoriesApp();
  const nginx = await startNginx({ upstreams: [{ host: "127.0.0.1", port: app.port }] });
  const folder = await mkdtemp(join(tmpdir(), "understudy-monitoring-"));
  const ids = unprivileged();
  const port: Record<string, number> = {};
  for (const job of ["node", "postgres", "redis", "nginx", "prometheus", "alertmanager"]) port[job] = await freePort();
  const portOf = (job: string): number => port[job] ?? 0;
  const listen = (job: string) => ({ host: "127.0.0.1", port: portOf(job) });
  const server = (serverPort: number) => ({ host: "127.0.0.1", port: serverPort });
  const jobs = { app: app.port, ...port };

  await mkdir(join(folder, "textfile"));
  await mkdir(join(folder, "prometheus"));
  await mkdir(join(folder, "alertmanager"));
  await writeFile(join(folder, "textfile", "certificate.prom"), renderCertificateMetrics("2030-01-01T00:00:00Z"));
  await cp(join(project, "workloads/stories/monitoring/alerts.yaml"), join(folder, "alerts.yaml"));
  await writeFile(join(folder, "alertmanager.yml"), renderAlertmanagerConf());
  await writeFile(
    join(folder, "prometheus.yml"),
    renderPrometheusConf({
      scrapeIntervalSeconds,
      targets: Object.entries(jobs).map(([job, jobPort]) => ({ job, host: "127.0.0.1", port: jobPort })),
      ruleFiles: ["alerts.yaml"],
      alertmanager: listen("alertmanager"),
      externalLabels: { stack: "test" },
    }),
  );
  await chmod(folder, 0o755);
  for (const name of ["prometheus", "alertmanager"]) if (ids !== undefined) await chown(join(folder, name), ids.uid, ids.gid);

  const exporter = (name: string, command: ExporterCommand, password?: string): TestChild =>
    startChild(`/usr/bin/prometheus-${name}-exporter`, command.arguments, {
      ...ids,
      cwd: "/",
      env: { ...command.environment, ...(command.passwordVariable === undefined ? {} : { [command.passwordVariable]: password ?? "" }) },
    });
  const children = {
    node: exporter("node", nodeExporter({ listen: listen("node"), textfileFolder: join(folder, "textfile") })),
    postgres: exporter(
      "postgres",
      postgresExporter({ listen: listen("postgres"), server: server(app.postgres.port), user: stagingRoles.readOnly }),
      app.staging.passwords.readOnly,
    ),
    redis: exporter("redis", redisExporter({ listen: listen("redis"), server: server(app.redis.port) }), app.redis.password),
    nginx: exporter("nginx", nginxExporter({ listen: listen("nginx"), status: server(nginx.statusPort) })),
    alertmanager: startChild(
      "/usr/bin/prometheus-alertmanager",
      [
        `--config.file=${join(folder, "alertmanager.yml")}`,
        `--storage.path=${join(folder, "alertmanager")}`,
        `--web.listen-address=127.0.0.1:${portOf("alertmanager")}`,
        "--cluster.listen-address=",
      ],
      { ...ids, cwd: "/", env: {} },
    ),
    prometheus: startChild(
      "/usr/bin/prometheus",
      [
        `--config.file=${join(folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(folder, "prometheus")}`,
        `--web.listen-address=127.0.0.1:${portOf("prometheus")}`,
      ],
      { ...ids, cwd: "/", env: {} },
    ),
  };
  for (const [job, child] of Object.entries(children)) {
    await child.waitUntil(() => fetch(`http://127.0.0.1:${portOf(job)}/metrics`).then((answer) => answer.text()));
  }
  return {
    app,
    nginx,
    prometheusPort: portOf("prometheus"),
    alertmanagerPort: portOf("alertmanager"),
    children,
    jobs,
    query: async (promql) => {
      const answer = await fetch(`http://127.0.0.1:${portOf("prometheus")}/api/v1/query?query=${encodeURIComponent(promql)}`);
      const body = (await answer.json()) as { status: string; error?: string; data: { result: { metric: Record<string, string>; value: [number, string] }[] } };
      if (body.status !== "success") throw new Error(`${promql}: ${body.error}`);
      return body.data.result;
    },
    stop: async () => {
      await Promise.all(Object.values(children).map((child) => child.stop("SIGKILL")));
      await nginx.stop();
      await app.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
