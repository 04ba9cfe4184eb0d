import { join } from "node:path";
import { readFile } from "node:fs/promises";
import type { ConnectionSettings } from "../engine/postgres/connection.ts";
import type { StackLayout } from "../engine/process/layout.ts";
import { serviceState } from "../engine/process/service.ts";
import type { StagingDatabase } from "../engine/staging/database.ts";
import type { ServiceState, ValidationTarget } from "../engine/validation/target.ts";

/** A running stack as plain data: what an output or an input can hold. */
export interface TargetDescription {
  readonly stack: string;
  readonly httpsUrl: string;
  readonly httpUrl: string;
  readonly appUrl: string;
  readonly staging: StagingDatabase;
  readonly redis: ValidationTarget["redis"];
  /** Every instance of the app, past the proxy, and what takes it out of use: service, then file in its configuration folder. */
  readonly appInstances: readonly { readonly service: string; readonly url: string; readonly drain: { readonly service: string; readonly path: string } }[];
  readonly pool?: { readonly host: string; readonly port: number };
  readonly scheduledBackup?: { readonly service: string; readonly healthUrl: string; readonly everyHours: number };
  readonly signInPassword: string;
  readonly prometheusUrl?: string;
  readonly alertmanagerUrl?: string;
  readonly grafanaUrl?: string;
  readonly source?: ConnectionSettings;
  readonly services: readonly { readonly name: string; readonly host: string; readonly port: number; readonly morePorts: readonly number[]; readonly secretFiles: readonly string[]; readonly data: boolean }[];
  /** Service, then file in its configuration folder. */
  readonly certificate: { readonly service: string; readonly path: string };
  /** Service, then log of its own. */
  readonly accessLog: { readonly service: string; readonly path: string };
}

/** What a data copy needs beyond the target. */
export interface CopyDescription {
  readonly source: ConnectionSettings;
  readonly maskingKey: string;
  readonly limit: number;
  readonly allowWritableSource: boolean;
}

/** Fills in what only this machine knows: folders, and what the supervisor says. */
export function processTarget(description: TargetDescription, layout: StackLayout): ValidationTarget {
  const { certificate, accessLog, services, scheduledBackup, appInstances, ...rest } = description;
  return {
    ...rest,
    platform: "process",
    appInstances: appInstances.map(({ service, url, drain }) => ({ service, url, drainFile: join(layout.config(drain.service), drain.path) })),
    ...(scheduledBackup === undefined
      ? {}
      : { scheduledBackup: { folder: layout.data(scheduledBackup.service), healthUrl: scheduledBackup.healthUrl, everyHours: scheduledBackup.everyHours } }),
    certificateFile: join(layout.config(certificate.service), certificate.path),
    accessLogFile: join(layout.logs(accessLog.service), accessLog.path),
    services: services.map(({ name, host, port, morePorts, secretFiles, data }) => ({
      name,
      host,
      port,
      morePorts,
      secretFiles: secretFiles.map((path) => join(layout.config(name), path)),
      ...(data ? { dataFolder: layout.data(name) } : {}),
      state: () => stateOf(layout, name),
    })),
  };
}

async function stateOf(layout: StackLayout, name: string): Promise<ServiceState> {
  const { up, pid, uptimeMs, exits } = await serviceState(layout, name);
  if (!up || pid === undefined) return { up: false, restarts: exits.length };
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const uid = /^Uid:\s+(\d+)/m.exec(status)?.[1];
  const rssKb = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
  return {
    up,
    pid,
    ...(uptimeMs === undefined ? {} : { uptimeMs }),
    restarts: exits.length,
    ...(uid === undefined ? {} : { user: uid }),
    ...(rssKb === undefined ? {} : { rssBytes: Number(rssKb) * 1_024 }),
  };
}
