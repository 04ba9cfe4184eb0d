import type { ContainerArgs } from "@pulumi/docker/container.js";
import type { Input, Output } from "@pulumi/pulumi";
import type { HealthTiming, ServiceSpec } from "../spec.ts";
import { pinnedImages, type ImageName } from "./images.ts";
import { configFolder, memoryOf, scratchFolder, type Launch } from "./launch.ts";
import { limitsOf } from "./limits.ts";
import { containerPort } from "./names.ts";

export interface ContainerParts {
  readonly spec: ServiceSpec;
  readonly launch: Launch;
  readonly name: string;
  /** Its name in the network. */
  readonly hostname: string;
  /** The engine's own name of it, `sha256:…`. */
  readonly image: Output<string>;
  readonly imageName: ImageName;
  /** Address of this machine. */
  readonly publishedOn: string;
  readonly network: Input<string>;
  readonly address: string | undefined;
  readonly labels: Input<{ label: string; value: string }[]>;
  /** On this machine. */
  readonly filesFolder: string;
  readonly volume: string | undefined;
  readonly apiVersion: number | undefined;
}

const scratchMb = 64;
const graceSeconds = 10;
/** The first engine that probes a starting container more often than a running one (Docker 25). */
const startIntervalApi = 1.44;

/** Every input of a container: what document 004 asks for, and nothing that a program does not need. */
export function containerArgs(parts: ContainerParts): ContainerArgs {
  const { spec, launch, imageName, network, address, volume } = parts;
  const { uid, gid } = pinnedImages[imageName].user;
  const data = pinnedImages[imageName].data;
  const { memoryMb, cpus } = limitsOf(imageName);
  // An older engine looks for the first time after a whole interval: there the probe from this machine is waited for alone.
  const probesStartFast = parts.apiVersion === undefined || parts.apiVersion >= startIntervalApi;
  return {
    name: parts.name,
    hostname: parts.hostname,
    image: parts.image,
    entrypoints: [...launch.entrypoint],
    ...(launch.workingFolder === undefined ? {} : { workingDir: launch.workingFolder }),
    ...(launch.environment === undefined ? {} : { envs: Object.entries(launch.environment).map(([key, value]) => `${key}=${value}`).sort() }),
    labels: parts.labels,
    user: `${uid}:${gid}`,
    readOnly: launch.writable !== true,
    tmpfs: { [scratchFolder]: memoryOf({ uid, gid }, scratchMb), ...launch.memoryFolders },
    securityOpts: ["no-new-privileges:true"],
    capabilities: { drops: ["ALL"], ...(launch.capabilities === undefined ? {} : { adds: [...launch.capabilities] }) },
    privileged: false,
    memory: memoryMb,
    // No swap beyond it.
    memorySwap: memoryMb,
    cpus: decimal(cpus),
    ...(launch.sharedMemoryMb === undefined ? {} : { shmSize: launch.sharedMemoryMb }),
    ports: Object.values(spec.ports).map((external) => ({ internal: containerPort(spec.name, external), external, ip: parts.publishedOn, protocol: "tcp" })),
    networkMode: network,
    networksAdvanced: [{ name: network, aliases: [parts.hostname], ...(address === undefined ? {} : { ipv4Address: address }) }],
    volumes: [
      { hostPath: parts.filesFolder, containerPath: configFolder, readOnly: true },
      ...(launch.source === undefined ? [] : [{ hostPath: launch.source.from, containerPath: launch.source.to, readOnly: true }]),
      ...(volume === undefined || data === undefined ? [] : [{ volumeName: volume, containerPath: data }]),
    ],
    healthcheck: { tests: [...launch.healthTest], ...healthTiming(spec.health, probesStartFast) },
    wait: probesStartFast,
    waitTimeout: Math.ceil((spec.health.startPeriodMs + spec.health.retries * spec.health.intervalMs) / 1_000),
    restart: "unless-stopped",
    mustRun: true,
    logDriver: "json-file",
    logOpts: { "max-size": "10m", "max-file": "3" },
    ...(launch.stopSignal === undefined ? {} : { stopSignal: launch.stopSignal }),
    stopTimeout: graceSeconds,
    destroyGraceSeconds: graceSeconds,
    removeVolumes: true,
  };
}

/** Document 004's 15 s, 10 s, 5 and 30 s. */
function healthTiming(health: HealthTiming, probesStartFast: boolean) {
  return {
    interval: duration(health.intervalMs),
    timeout: duration(health.timeoutMs),
    retries: health.retries,
    startPeriod: duration(health.startPeriodMs),
    ...(probesStartFast ? { startInterval: "1s" } : {}),
  };
}

/** As the provider reads it back: `1.0`, `0.25`. */
function decimal(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** As Go writes it, which the engine gives back. */
function duration(ms: number): string {
  if (ms < 1_000) return `${ms}ms`;
  const seconds = ms / 1_000;
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
