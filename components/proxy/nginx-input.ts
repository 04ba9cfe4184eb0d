import { isAbsolute } from "node:path";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";

/** One instance of the application behind the proxy. */
export interface NginxUpstream {
  readonly host: string;
  readonly port: number;
  /** While this file exists, nothing new is sent there, as long as there is another instance. No reload needed. */
  readonly drainFlagFile?: string;
}

/** Requests a single address may make before it gets a 429. */
export interface NginxRateLimits {
  /** Everything but assets and health. Default 200. */
  readonly pagesPerSecond: number;
  /** Requests above that rate that are still served at once. Default 400. */
  readonly pagesBurst: number;
  /** POST to one of `signInPaths`. Default 20. */
  readonly signInPerMinute: number;
  /** Default 10. */
  readonly signInBurst: number;
}

/** What `renderNginxConf` needs to know. Every path is absolute and readable by the user nginx runs as. */
export interface NginxInput {
  /** Writable by that user: holds `nginx.pid` and the folder `temp`. Must exist; nginx makes the rest. */
  readonly folder: string;
  /** Port of HTTPS with HTTP/2. */
  readonly httpsPort: number;
  /** Port that only redirects to HTTPS. */
  readonly httpPort: number;
  /** Port of `/stub_status`, for the exporter alone. */
  readonly statusPort: number;
  /** Address that it is on. Default 127.0.0.1. */
  readonly statusHost?: string;
  /** Addresses to listen on; IPv6 in brackets. */
  readonly listenHosts: readonly string[];
  /** Host that people use; unknown hosts are redirected there over HTTP and refused (421) over HTTPS. */
  readonly publicHost: string;
  /** Port that people use where it differs from `httpsPort` (a published container port). Default `httpsPort`. */
  readonly publicHttpsPort?: number;
  /** Further hosts that are answered. Default localhost, 127.0.0.1 and [::1]. */
  readonly serverNames?: readonly string[];
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly upstreams: readonly NginxUpstream[];
  /** Passed through in maintenance mode too, without rate limit. Default `/api/health`. */
  readonly healthPath?: string;
  /** Paths of the app that are for the stack alone, never for those who come through the proxy. Default `/metrics`. */
  readonly internalPaths?: readonly string[];
  /** Served under `/static/`. */
  readonly staticFolder: string;
  /** Page of maintenance mode. Default `maintenance.html` in `staticFolder`. */
  readonly maintenancePage?: string;
  /** While this file exists, people see the maintenance page. No restart or reload needed. */
  readonly maintenanceFlagFile: string;
  /** Access log in document 004's format `staging`; reopened on SIGUSR1. */
  readonly accessLog: string;
  /** Shown on every page and in the header `X-Environment`. Default `STAGING`. */
  readonly environment?: string;
  /** Said on every HTML page beside the environment's name. */
  readonly bannerText: string;
  /** Default fits a server-rendered app with its own assets and no inline code. */
  readonly contentSecurityPolicy?: string;
  /** Seconds. Default one day: HSTS covers every port of a host, and on localhost people run other things too. */
  readonly hstsMaxAgeSeconds?: number;
  readonly rateLimits?: Partial<NginxRateLimits>;
  /** POST there is limited strictly. Default covers our own route and those of NextAuth. */
  readonly signInPaths?: readonly string[];
  /** Largest request body, in bytes. Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /** Default one per core. */
  readonly workerProcesses?: number;
  /** File descriptors a worker may use for connections. Default 1024. */
  readonly workerConnections?: number;
}

/** The input with every default filled in. */
export type NginxSettings = Required<Omit<NginxInput, "rateLimits" | "workerProcesses">> & {
  readonly rateLimits: NginxRateLimits;
  readonly workerProcesses: number | "auto";
};

const strictPolicy = [
  "default-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join("; ");

/**
 * Fills in the defaults and looks at every value.
 * @throws UnderstudyError (exit 2) that names every wrong value at once.
 */
export function normalizeNginxInput(input: NginxInput): NginxSettings {
  const problems = problemsOf(input);
  if (problems.length > 0) {
    throw new UnderstudyError(`The proxy's settings have ${problems.length} wrong value(s): ${problems.join("; ")}.`, {
      exitCode: exitCode.usage,
    });
  }
  return {
    publicHttpsPort: input.httpsPort,
    statusHost: "127.0.0.1",
    healthPath: "/api/health",
    internalPaths: ["/metrics"],
    maintenancePage: `${input.staticFolder}/maintenance.html`,
    environment: "STAGING",
    contentSecurityPolicy: strictPolicy,
    hstsMaxAgeSeconds: 86_400,
    signInPaths: ["/api/auth/sign-in", "/api/auth/signin", "/api/auth/callback/credentials"],
    maxBodyBytes: 1024 ** 2,
    workerConnections: 1024,
    ...input,
    workerProcesses: input.workerProcesses ?? "auto",
    serverNames: unique([input.publicHost, ...(input.serverNames ?? ["localhost", "127.0.0.1", "[::1]"])]),
    rateLimits: { pagesPerSecond: 200, pagesBurst: 400, signInPerMinute: 20, signInBurst: 10, ...input.rateLimits },
  };
}

function problemsOf(input: NginxInput): string[] {
  const problems: string[] = [];
  const demand = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem);
  };

  const paths = {
    folder: input.folder,
    certificateFile: input.certificateFile,
    keyFile: input.keyFile,
    staticFolder: input.staticFolder,
    maintenanceFlagFile: input.maintenanceFlagFile,
    accessLog: input.accessLog,
    ...(input.maintenancePage === undefined ? {} : { maintenancePage: input.maintenancePage }),
    ...Object.fromEntries(input.upstreams.flatMap(({ drainFlagFile }, index) => (drainFlagFile === undefined ? [] : [[`upstreams[${index}].drainFlagFile`, drainFlagFile]]))),
  };
  for (const [name, path] of Object.entries(paths)) {
    demand(isAbsolute(path), `${name} "${path}" must be an absolute path`);
    // nginx reads `$` as the start of a variable and has no escape for it.
    demand(!/[$\p{Cc}]/u.test(path), `${name} "${path}" must not hold "$" or control characters`);
  }

  const ports = {
    httpsPort: input.httpsPort,
    httpPort: input.httpPort,
    statusPort: input.statusPort,
    ...Object.fromEntries(input.upstreams.map(({ port }, index) => [`upstreams[${index}].port`, port])),
  };
  for (const [name, port] of Object.entries(ports)) {
    demand(Number.isInteger(port) && port >= 1 && port <= 65_535, `${name} ${port} must be a port, 1 to 65535`);
  }
  const own = [input.httpsPort, input.httpPort, input.statusPort];
  demand(new Set(own).size === own.length, `httpsPort, httpPort and statusPort (${own.join(", ")}) must differ`);

  demand(input.upstreams.length > 0, "upstreams must name at least one instance of the app");
  demand(input.listenHosts.length > 0, "listenHosts must name at least one address");
  const hosts = {
    publicHost: [input.publicHost],
    statusHost: [input.statusHost ?? "127.0.0.1"],
    listenHosts: input.listenHosts,
    serverNames: input.serverNames ?? [],
    upstreams: input.upstreams.map(({ host }) => host),
  };
  for (const [name, values] of Object.entries(hosts)) {
    for (const host of values) {
      demand(/^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)$/i.test(host), `${name} "${host}" must be a host name or address, IPv6 in brackets`);
    }
  }

  for (const path of [input.healthPath ?? "/", ...(input.internalPaths ?? []), ...(input.signInPaths ?? [])]) {
    demand(/^\/[A-Za-z0-9/._~-]*$/.test(path), `path "${path}" must start with "/" and be a plain URL path`);
  }
  const policy = input.contentSecurityPolicy ?? "";
  demand(!/[$\p{Cc}]/u.test(policy), `contentSecurityPolicy must not hold "$" or control characters`);
  demand(/^[A-Z0-9-]+$/.test(input.environment ?? "STAGING"), `environment "${input.environment}" must be upper-case letters, digits and "-"`);

  const amounts = {
    hstsMaxAgeSeconds: input.hstsMaxAgeSeconds,
    maxBodyBytes: input.maxBodyBytes,
    workerProcesses: input.workerProcesses,
    workerConnections: input.workerConnections,
    ...input.rateLimits,
  };
  for (const [name, amount] of Object.entries(amounts)) {
    demand(amount === undefined || (Number.isInteger(amount) && amount >= 1), `${name} ${amount} must be a whole number from 1`);
  }
  return problems;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

/** What follows the host in a URL: nothing for the port HTTPS has by default. */
export function publicPort({ publicHttpsPort }: NginxSettings): string {
  return publicHttpsPort === 443 ? "" : `:${publicHttpsPort}`;
}
