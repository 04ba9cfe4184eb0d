import type { Resource } from "@pulumi/pulumi";
import type { PortName, StackConfig } from "../config.ts";
import type { Workload } from "../engine/workload/manifest.ts";
import type { Platform } from "../platforms/platform.ts";

/** What every component of a stack is given. */
export interface StackContext {
  /** The stack's name. */
  readonly stack: string;
  /** Absolute folder of the checkout. */
  readonly projectFolder: string;
  /** Absolute folder of reports and backups. */
  readonly reportsFolder: string;
  readonly config: StackConfig;
  readonly ports: Readonly<Record<PortName, number>>;
  readonly workload: Workload;
  readonly platform: Platform;
  /** Whether there is a Grafana to run. */
  readonly grafana: boolean;
}

/** A component's own options: what it must wait for. */
export interface After {
  readonly dependsOn?: readonly Resource[];
}
