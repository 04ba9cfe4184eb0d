import { join } from "node:path";
import { output, type Input, type Output } from "@pulumi/pulumi";
import type { Bundle, ServiceInputs } from "../../resources/operations/service.ts";
import { sourceHash } from "../../engine/sourceHash.ts";
import { exitCode, UnderstudyError } from "../../engine/errors.ts";
import type { StackLayout } from "../../engine/process/layout.ts";
import type { ExporterKind, ServiceSpec } from "../spec.ts";
import { passwordFile, standbyInputs, standbySettings } from "./standby.ts";

/** How this platform runs a program: the part of a service's inputs that follows from its kind. */
export interface Launch {
  readonly program: string;
  readonly arguments: readonly string[];
  /** Unprivileged accounts it may run as when the caller is root, by preference. */
  readonly accounts: readonly string[];
  readonly stopSignal: ServiceInputs["stopSignal"];
  readonly reloadSignal?: "SIGHUP";
  readonly bundle?: Bundle;
  /** Where a command of the user's own begins; it has to be open to the account. */
  readonly workingFolder?: string;
  readonly cluster?: Output<NonNullable<ServiceInputs["cluster"]>>;
  readonly standby?: Output<NonNullable<ServiceInputs["standby"]>>;
  readonly secretFiles?: Output<ServiceInputs["secretFiles"]>;
  readonly environment?: Readonly<Record<string, Input<string>>>;
}

export interface LaunchContext {
  readonly layout: StackLayout;
  readonly host: string;
}

const exporterPrograms: Readonly<Record<ExporterKind, string>> = {
  node: "prometheus-node-exporter",
  postgres: "prometheus-postgres-exporter",
  redis: "prometheus-redis-exporter",
  nginx: "prometheus-nginx-exporter",
};

const monitoringAccounts = ["prometheus", "nobody"];
const appAccounts = ["understudy", "nobody"];

/** Accounts that own the data of a program, its service's and its volume's. */
export function accountsOf(kind: ServiceSpec["program"]["kind"]): readonly string[] {
  switch (kind) {
    case "postgres":
    case "pgbouncer":
      return ["postgres"];
    case "redis":
      return ["redis", "nobody"];
    case "nginx":
      return ["www-data", "nobody"];
    case "node-app":
    case "command":
      return appAccounts;
    case "grafana":
      return ["grafana", "nobody"];
    case "pgadmin":
      return ["nobody"];
    case "prometheus":
    case "alertmanager":
    case "exporter":
      return monitoringAccounts;
  }
}

/** The command line of a service on this machine. Holds no secret. */
export function launchOf(spec: ServiceSpec, context: LaunchContext): Launch {
  const { program, ports } = spec;
  const { layout, host } = context;
  const config = (path: string) => join(layout.config(spec.name), path);
  const data = (path = "") => join(layout.data(spec.volume ?? spec.name), path);
  const listen = `${host}:${ports.main}`;
  const accounts = accountsOf(program.kind);
  const stopSignal = "SIGTERM";
  switch (program.kind) {
    case "postgres": {
      const { standbyOf } = program;
      const dataFolder = data("pgdata");
      const settings = {
        listen_addresses: host,
        port: String(ports.main),
        unix_socket_directories: "",
        ...program.settings,
        ...(standbyOf === undefined ? {} : standbySettings(standbyOf, { name: spec.name, passwordFile: config(passwordFile) })),
      };
      return {
        program: "postgres",
        arguments: ["-D", dataFolder, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
        accounts,
        stopSignal: "SIGINT",
        ...(standbyOf === undefined
          ? { cluster: output(program.adminPassword).apply((adminPassword) => ({ dataFolder, adminUser: program.adminUser, adminPassword })) }
          : standbyInputs(standbyOf, dataFolder)),
      };
    }
    case "pgbouncer":
      return { program: "pgbouncer", arguments: [config(program.configFile)], accounts, stopSignal, reloadSignal: "SIGHUP" };
    case "redis":
      return { program: "redis-server", arguments: [config(program.configFile), "--dir", data()], accounts, stopSignal };
    case "node-app": {
      const outfile = join(layout.folder, "app", `${spec.name}.mjs`);
      return {
        program: "node",
        arguments: [outfile],
        accounts,
        stopSignal,
        bundle: { entry: program.entry, outfile, sourceHash: sourceHash(program.entry) },
      };
    }
    case "command": {
      const [command = "", ...rest] = program.command;
      return {
        program: "sh",
        arguments: ["-c", 'cd "$1" && shift && exec "$@"', "sh", program.workingFolder, command, ...rest],
        workingFolder: program.workingFolder,
        accounts,
        stopSignal,
      };
    }
    case "nginx":
      return {
        program: "nginx",
        arguments: ["-c", config(program.configFile), "-p", layout.config(spec.name), "-e", "stderr"],
        accounts,
        stopSignal: "SIGQUIT",
        reloadSignal: "SIGHUP",
      };
    case "prometheus":
      return {
        program: "prometheus",
        arguments: [
          `--config.file=${config(program.configFile)}`,
          `--storage.tsdb.path=${data()}`,
          `--storage.tsdb.retention.time=${program.retention}`,
          `--web.listen-address=${listen}`,
        ],
        accounts,
        stopSignal,
        reloadSignal: "SIGHUP",
      };
    case "alertmanager":
      return {
        program: "prometheus-alertmanager",
        arguments: [
          `--config.file=${config(program.configFile)}`,
          `--storage.path=${data()}`,
          `--web.listen-address=${listen}`,
          "--cluster.listen-address=",
        ],
        accounts,
        stopSignal,
        reloadSignal: "SIGHUP",
      };
    case "grafana":
      return { program: "grafana", arguments: ["server", `--config=${config(program.configFile)}`, "--homepath=/usr/share/grafana"], accounts, stopSignal };
    case "pgadmin":
      throw new UnderstudyError("pgAdmin is in no package: it comes as an image only.", { exitCode: exitCode.usage, remedy: "Set admin.enabled to false, or platform to docker." });
    case "exporter":
      return { program: exporterPrograms[program.exporter], arguments: program.arguments, accounts, stopSignal };
  }
}
