/** An address to listen on; loopback unless a platform puts every service into a network of its own. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** How an exporter of Debian's packages is started. Nothing in it is a secret. */
export interface ExporterCommand {
  /** Command line after the program's name. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Variable that holds the password, where one is needed: never an argument, which every user of the machine can read. */
  readonly passwordVariable?: string;
}

const at = ({ host, port }: ListenAddress): string => `${host}:${port}`;

/** What alerts and dashboards need of the machine, and nothing more. */
const nodeCollectors = ["cpu", "diskstats", "filesystem", "loadavg", "meminfo", "netdev", "stat", "time", "uname", "vmstat"];

/**
 * `prometheus-node-exporter` 1.5: metrics of the machine.
 * `textfileFolder` (absolute) holds further metrics as `*.prom` files, such as `renderCertificateMetrics` makes.
 */
export function nodeExporter(input: { readonly listen: ListenAddress; readonly textfileFolder?: string }): ExporterCommand {
  return {
    arguments: [
      `--web.listen-address=${at(input.listen)}`,
      "--web.disable-exporter-metrics",
      "--collector.disable-defaults",
      ...nodeCollectors.map((collector) => `--collector.${collector}`),
      ...(input.textfileFolder === undefined ? [] : ["--collector.textfile", `--collector.textfile.directory=${input.textfileFolder}`]),
      "--log.level=warn",
    ],
    environment: {},
  };
}

/**
 * `prometheus-postgres-exporter` 0.11: metrics of the server. Connects to a database that no blue/green switch renames
 * (default `postgres`); statistics of every database are seen from there. The user needs `pg_monitor`.
 */
export function postgresExporter(input: {
  readonly listen: ListenAddress;
  readonly server: ListenAddress;
  readonly user: string;
  readonly database?: string;
}): ExporterCommand {
  return {
    arguments: [`--web.listen-address=${at(input.listen)}`, "--log.level=warn"],
    environment: {
      DATA_SOURCE_URI: `${at(input.server)}/${input.database ?? "postgres"}?sslmode=disable&connect_timeout=3&application_name=postgres_exporter`,
      DATA_SOURCE_USER: input.user,
    },
    passwordVariable: "DATA_SOURCE_PASS",
  };
}

/** `prometheus-redis-exporter` 1.45. */
export function redisExporter(input: { readonly listen: ListenAddress; readonly server: ListenAddress }): ExporterCommand {
  return {
    arguments: [`-web.listen-address=${at(input.listen)}`, "-connection-timeout=3s", "-redis-only-metrics"],
    environment: { REDIS_ADDR: `redis://${at(input.server)}` },
    passwordVariable: "REDIS_PASSWORD",
  };
}

/** `prometheus-nginx-exporter` 0.11. Waits up to a minute for nginx when it starts; later it reports `nginx_up 0`. */
export function nginxExporter(input: { readonly listen: ListenAddress; readonly status: ListenAddress }): ExporterCommand {
  return {
    arguments: [
      `-web.listen-address=${at(input.listen)}`,
      `-nginx.scrape-uri=http://${at(input.status)}/stub_status`,
      "-nginx.timeout=3s",
      "-nginx.retries=60",
      "-nginx.retry-interval=1s",
    ],
    environment: {},
  };
}

/**
 * Metrics of the certificate as a text file for the node exporter's `textfileFolder`; name it `certificate.prom`.
 * @param notAfter ISO 8601, as `createCertificate` returns it
 */
export function renderCertificateMetrics(notAfter: string): string {
  const name = "understudy_certificate_not_after_seconds";
  return `# HELP ${name} When the proxy's certificate ends, in seconds since 1970\n# TYPE ${name} gauge\n${name} ${Date.parse(notAfter) / 1000}\n`;
}
