import { join } from "node:path";
import { readFile } from "node:fs/promises";
import type { SourceBounds } from "../engine/copy/sourceBounds.ts";
import type { ConnectionSettings } from "../engine/postgres/connection.ts";
import type { StackLayout } from "../engine/process/layout.ts";
import { serviceState } from "../engine/process/service.ts";
import type { StagingDatabase } from "../engine/staging/database.ts";
import { containerLog, inspectContainer } from "../engine/docker/containers.ts";
import { logFileTail } from "../engine/validation/accessLog.ts";
import type { ServiceState, ServiceTarget, ValidationTarget } from "../engine/validation/target.ts";

/** A running stack as plain data: what an output or an input can hold. */
export interface TargetDescription {
  readonly stack: string;
  readonly platform: ValidationTarget["platform"];
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
  readonly services: readonly { readonly name: string; /** What it is called where it is one. */ readonly container?: string; readonly host: string; readonly port: number; readonly morePorts: readonly number[]; readonly secretFiles: readonly string[]; readonly data: boolean }[];
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
  readonly sourceBounds: SourceBounds;
}

/** Fills in what only this machine knows: folders, and what the supervisor or the container engine says. */
export function validationTarget(description: TargetDescription, layout: StackLayout): ValidationTarget {
  const { certificate, services, scheduledBackup, appInstances, ...rest } = description;
  return {
    ...rest,
    appInstances: appInstances.map(({ service, url, drain }) => ({ service, url, drainFile: join(layout.config(drain.service), drain.path) })),
    ...(scheduledBackup === undefined
      ? {}
      : { scheduledBackup: { folder: layout.data(scheduledBackup.service), healthUrl: scheduledBackup.healthUrl, everyHours: scheduledBackup.everyHours } }),
    certificateFile: join(layout.config(certificate.service), certificate.path),
    accessLog: accessLogOf(description, layout),
    services: services.map((service): ServiceTarget => {
      const { name, host, port, morePorts, container } = service;
      const secretFiles = service.secretFiles.map((path) => join(layout.config(name), path));
      const common = { name, host, port, morePorts, secretFiles };
      if (container !== undefined) return { ...common, state: () => containerState(container) };
      return { ...common, ...(service.data ? { dataFolder: layout.data(name) } : {}), state: () => supervisedState(layout, name) };
    }),
  };
}

const accessLogLines = 2_000;

function accessLogOf({ accessLog, services }: TargetDescription, layout: StackLayout): ValidationTarget["accessLog"] {
  const container = services.find(({ name }) => name === accessLog.service)?.container;
  if (container === undefined) return logFileTail(join(layout.logs(accessLog.service), accessLog.path));
  return { name: `the log of container ${container}`, tail: async () => (await containerLog(container, accessLogLines)).join("\n") };
}

async function containerState(container: string): Promise<ServiceState> {
  const state = await inspectContainer(container);
  if (state === undefined || !state.running || state.pid === undefined) return { up: false, restarts: state?.restarts ?? 0 };
  const { pid, uptimeMs, restarts, user, health } = state;
  return {
    up: health !== "unhealthy",
    pid,
    restarts,
    user,
    ...(uptimeMs === undefined ? {} : { uptimeMs }),
    ...rssOf(await statusOf(pid)),
  };
}

function statusOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
}

function rssOf(status: string): { readonly rssBytes?: number } {
  const rssKb = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
  return rssKb === undefined ? {} : { rssBytes: Number(rssKb) * 1_024 };
}

async function supervisedState(layout: StackLayout, name: string): Promise<ServiceState> {
  const { up, pid, uptimeMs, exits } = await serviceState(layout, name);
  if (!up || pid === undefined) return { up: false, restarts: exits.length };
  const status = await statusOf(pid);
  const uid = /^Uid:\s+(\d+)/m.exec(status)?.[1];
  return {
    up,
    pid,
    ...(uptimeMs === undefined ? {} : { uptimeMs }),
    restarts: exits.length,
    ...(uid === undefined ? {} : { user: uid }),
    ...rssOf(status),
  };
}
