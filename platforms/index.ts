import type { Platform } from "./platform.ts";
import type { ImageName } from "../engine/docker/imageNames.ts";
import { ProcessPlatform } from "./process/index.ts";

export type PlatformKind = "process" | "docker";

export interface PlatformArgs {
  readonly stack: string;
  readonly stackId: string;
  /** The workload's. */
  readonly title: string;
  /** Every port of the stack by name. */
  readonly ports: Readonly<Record<string, number>>;
  /** Address of this machine that services are reached at: loopback. */
  readonly host: string;
  readonly images: Readonly<Partial<Record<ImageName, string>>>;
  readonly subnet: string | undefined;
}

/** The platform that the configuration names. What the others need is not loaded. */
export async function createPlatform(kind: PlatformKind, args: PlatformArgs): Promise<Platform> {
  const { stackId, ports, host } = args;
  switch (kind) {
    case "process":
      return new ProcessPlatform("process", { stackId, ports, host });
    case "docker": {
      const [{ DockerPlatform }, { engineApiVersion }] = await Promise.all([import("./docker/index.ts"), import("../engine/docker/api.ts")]);
      return new DockerPlatform("docker", { ...args, apiVersion: await engineApiVersion() });
    }
  }
}
