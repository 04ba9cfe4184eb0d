import { existsSync } from "node:fs";
import { interpolate, type Input } from "@pulumi/pulumi";
import { sourceHash } from "../../engine/sourceHash.ts";
import { UnderstudyError, exitCode } from "../../engine/errors.ts";
import type { ConfigFile, HealthProbe, ServiceSpec } from "../spec.ts";
import { pinnedImages } from "./images.ts";
import { postgresSettings, postgresStart, adminPasswordFile } from "./postgres.ts";

/** Where a container finds the files of its service, read-only. */
export const configFolder = "/etc/understudy";
/** Where it may write what needs not survive: memory. */
export const scratchFolder = "/tmp";
const sourceFolder = "/srv/app";
const environmentFile = "environment.sh";

/** How this platform runs a program: the part of a container that follows from its kind. */
export interface Launch {
  readonly entrypoint: readonly string[];
  readonly healthTest: readonly string[];
  /** Nothing in it is a secret. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: readonly ConfigFile[];
  readonly bundle?: { readonly entry: string; readonly file: string; readonly sourceHash: string };
  /** A folder of this machine that it may read. */
  readonly source?: { readonly from: string; readonly to: string };
  readonly workingFolder?: string;
  readonly stopSignal?: "SIGINT" | "SIGQUIT";
  /** Folders in memory beside the scratch folder, with what `mount` is told. */
  readonly memoryFolders?: Readonly<Record<string, string>>;
  readonly sharedMemoryMb?: number;
  /** The image writes beside its data: its root file system cannot be read-only. */
  readonly writable?: boolean;
  readonly capabilities?: readonly string[];
}

export interface LaunchContext {
  /** The port that it listens on in its container. */
  readonly port: number;
}

const config = (path: string) => `${configFolder}/${path}`;

/** The check of document 004, to the letter: wget is in every image that has a shell. */
export function wgetTest(port: number, path: string, tls = false): string[] {
  const insecure = tls ? ["--no-check-certificate"] : [];
  return ["CMD", "wget", "--quiet", "--tries=1", ...insecure, "--spider", `${tls ? "https" : "http"}://localhost:${port}${path}`];
}

function httpPath(probe: HealthProbe): string {
  return probe.kind === "http" ? probe.path : "/-/ready";
}

/** Programs that take a password from the environment take it from a file as well. */
function passwordFiles(environment: ServiceSpec["environment"] = {}): { environment: Record<string, string>; files: ConfigFile[] } {
  const plain: Record<string, string> = {};
  const files: ConfigFile[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (name === "DATA_SOURCE_PASS") {
      plain["DATA_SOURCE_PASS_FILE"] = config("password");
      files.push({ path: "password", content: value, secret: true });
    } else if (name === "REDIS_PASSWORD") {
      plain["REDIS_PASSWORD_FILE"] = config("passwords.json");
      files.push({ path: "passwords.json", content: interpolate`{ "${environment["REDIS_ADDR"] ?? ""}": "${value}" }\n`, secret: true });
    } else if (name === "GF_SECURITY_ADMIN_PASSWORD") {
      plain["GF_SECURITY_ADMIN_PASSWORD__FILE"] = config("admin-password");
      files.push({ path: "admin-password", content: value, secret: true });
    } else if (name === "PGADMIN_DEFAULT_PASSWORD") {
      plain["PGADMIN_DEFAULT_PASSWORD_FILE"] = config("admin-password");
      files.push({ path: "admin-password", content: value, secret: true });
    } else if (typeof value === "string") {
      plain[name] = value;
    } else {
      throw new Error(`${name} may be a secret, and no file is known to take it`);
    }
  }
  return { environment: plain, files };
}

/** A whole environment as a file for a shell: a secret shows neither in `docker inspect` nor in an argument. */
function environmentScript(environment: Readonly<Record<string, Input<string>>>): ConfigFile {
  const lines = Object.entries(environment).map(([name, value]) => interpolate`export ${name}=${quotedForShell(value)}\n`);
  return { path: environmentFile, content: lines.reduce((text, line) => interpolate`${text}${line}`, interpolate``), secret: true };
}

function quotedForShell(value: Input<string>) {
  return interpolate`${value}`.apply((text) => `'${text.replaceAll("'", `'\\''`)}'`);
}

const withEnvironment = ["sh", "-c", `. ${config(environmentFile)} && exec "$@"`, "sh"];

/** Both families where this machine has both: `localhost` is either inside a container. */
function everyAddress(): string {
  return existsSync("/proc/net/if_inet6") ? "::" : "0.0.0.0";
}

/** Flags with two dashes, which old and new exporters take; retries are the restart policy's. */
function exporterArguments(given: readonly string[]): string[] {
  return given.filter((flag) => !/^-+nginx\.retr/.test(flag)).map((flag) => flag.replace(/^-(?=[a-z])/, "--"));
}

const exporterPrograms = {
  node: "/bin/node_exporter",
  postgres: "/bin/postgres_exporter",
  redis: "/redis_exporter",
  nginx: "/usr/bin/nginx-prometheus-exporter",
} as const;

/** The disk under a container's own root is the machine's; the default leaves it out. */
const overlayCounts = "--collector.filesystem.fs-types-exclude=^(tmpfs|proc|sysfs|cgroup2?|devpts|mqueue|nsfs)$";

/** A container's command line, files and folders. Holds no secret but in `files`. */
export function launchOf(spec: ServiceSpec, { port }: LaunchContext): Launch {
  const { program, probe } = spec;
  switch (program.kind) {
    case "postgres": {
      if (program.standbyOf !== undefined) throw unsupported("a read replica (database.replicas)");
      const dataFolder = `${pinnedImages.postgres.data}/pgdata`;
      const { database, user } = probe.kind === "postgres" ? probe : { database: "postgres", user: program.adminUser };
      return {
        entrypoint: ["sh", config("start.sh")],
        files: [
          { path: "start.sh", content: postgresStart({ dataFolder, adminUser: program.adminUser, configFolder, settings: postgresSettings(program.settings, port) }) },
          { path: adminPasswordFile, content: program.adminPassword, secret: true },
        ],
        // Over TCP: the socket answers for a server that is still being made.
        healthTest: ["CMD", "pg_isready", "--quiet", "--host=127.0.0.1", `--port=${port}`, `--username=${user}`, `--dbname=${database}`],
        environment: { PGDATA: dataFolder },
        stopSignal: "SIGINT",
        memoryFolders: { "/run/postgresql": memoryOf(pinnedImages.postgres.user, 1) },
        sharedMemoryMb: 256,
      };
    }
    case "redis":
      return {
        entrypoint: ["redis-server", config(program.configFile), "--dir", pinnedImages.redis.data ?? "/data"],
        workingFolder: configFolder,
        healthTest: ["CMD-SHELL", `REDISCLI_AUTH="$(sed -n 's/^requirepass //p' ${config("password.conf")})" redis-cli -p ${port} ping | grep -q PONG`],
      };
    case "node-app": {
      const bundle = "app.mjs";
      return {
        entrypoint: [...withEnvironment, "node", config(bundle)],
        files: [environmentScript({ ...spec.environment, HOST: everyAddress() })],
        bundle: { entry: program.entry, file: bundle, sourceHash: sourceHash(program.entry) },
        healthTest: wgetTest(port, httpPath(probe)),
      };
    }
    case "command":
      return {
        entrypoint: [...withEnvironment, ...program.command],
        files: [environmentScript({ ...spec.environment, HOST: everyAddress() })],
        source: { from: program.workingFolder, to: sourceFolder },
        workingFolder: sourceFolder,
        healthTest: wgetTest(port, httpPath(probe)),
      };
    case "nginx":
      return {
        entrypoint: ["nginx", "-c", config(program.configFile), "-p", scratchFolder, "-e", "stderr"],
        healthTest: wgetTest(port, "/nginx-health", true),
        stopSignal: "SIGQUIT",
      };
    case "prometheus":
      return {
        entrypoint: [
          "/bin/prometheus",
          `--config.file=${config(program.configFile)}`,
          `--storage.tsdb.path=${pinnedImages.prometheus.data}`,
          `--storage.tsdb.retention.time=${program.retention}`,
          `--web.listen-address=:${port}`,
        ],
        healthTest: wgetTest(port, "/-/ready"),
      };
    case "alertmanager":
      return {
        entrypoint: [
          "/bin/alertmanager",
          `--config.file=${config(program.configFile)}`,
          `--storage.path=${pinnedImages.alertmanager.data}`,
          `--web.listen-address=:${port}`,
          "--cluster.listen-address=",
        ],
        healthTest: wgetTest(port, httpPath(probe)),
      };
    case "grafana": {
      const { environment, files } = passwordFiles(spec.environment);
      const data = `${scratchFolder}/data`;
      return {
        entrypoint: ["grafana", "server", `--config=${config(program.configFile)}`, "--homepath=/usr/share/grafana"],
        // The image's own variables would win over the file.
        environment: { ...environment, GF_PATHS_DATA: data, GF_PATHS_LOGS: `${data}/log`, GF_PATHS_PLUGINS: `${data}/plugins`, GF_PATHS_PROVISIONING: config("provisioning") },
        files,
        healthTest: wgetTest(port, httpPath(probe)),
      };
    }
    case "pgadmin": {
      const { environment, files } = passwordFiles(spec.environment);
      return {
        entrypoint: ["/entrypoint.sh"],
        environment: { ...environment, PGADMIN_LISTEN_PORT: String(port), PGADMIN_SERVER_JSON_FILE: config(program.serversFile), PGADMIN_DISABLE_POSTFIX: "1" },
        files,
        healthTest: wgetTest(port, httpPath(probe)),
        // It writes its settings beside its program, and its Python carries this capability: without it in reach, it cannot be executed.
        writable: true,
        capabilities: ["NET_BIND_SERVICE"],
      };
    }
    case "exporter": {
      const { environment, files } = passwordFiles(spec.environment);
      const { exporter } = program;
      return {
        entrypoint: [exporterPrograms[exporter], ...exporterArguments(program.arguments), ...(exporter === "node" ? [overlayCounts] : [])],
        environment,
        files,
        // The image holds nothing but the exporter: that it can be executed is all that is seen from inside; the probe asks for its metrics.
        healthTest: exporter === "nginx" ? ["CMD", exporterPrograms.nginx, "--version"] : wgetTest(port, httpPath(probe)),
      };
    }
    case "pgbouncer":
      throw unsupported("PgBouncer (database.pooling)");
  }
}

/** Options of a folder in memory. */
export function memoryOf({ uid, gid }: { readonly uid: number; readonly gid: number }, sizeMb: number): string {
  return `rw,noexec,nosuid,nodev,size=${sizeMb}m,mode=0700,uid=${uid},gid=${gid}`;
}

function unsupported(what: string): UnderstudyError {
  return new UnderstudyError(`Platform docker has no ${what} yet.`, { exitCode: exitCode.usage, remedy: "Leave it out, or use platform process." });
}
