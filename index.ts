import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import { getProject, getStack, type Inputs } from "@pulumi/pulumi";
import { allConfig } from "@pulumi/pulumi/runtime/index.js";
import { StagingStack } from "./components/stagingStack.ts";
import { defaultPorts, effectivePorts, openPorts, parseConfig, type StackConfig } from "./config.ts";
import { findProgram } from "./engine/process/findProgram.ts";
import { stackId } from "./engine/process/layout.ts";
import { automaticOffset } from "./engine/process/leases.ts";
import { loadWorkload } from "./engine/workload/manifest.ts";
import { createPlatform } from "./platforms/index.ts";

/**
 * The program, for plain `pulumi up` and for the `understudy` command alike. A function, so that one process can
 * run it more than once: every operation needs its own resources.
 */
export default async function program(): Promise<Inputs> {
  const projectFolder = dirname(fileURLToPath(import.meta.url));
  const stack = getStack();
  const config = parseConfig(allConfig(), getProject());
  const id = stackId(stack, projectFolder);
  const offset = await offsetOf(config, id);
  const ports = effectivePorts(config, offset);
  const grafana = config.monitoring.grafana ?? (config.platform !== "process" || findProgram("grafana") !== undefined);
  const workload = await loadWorkload(isAbsolute(config.workload) ? config.workload : join(projectFolder, "workloads", config.workload));
  const platform = await createPlatform(config.platform, {
    stack,
    stackId: id,
    title: workload.manifest.title,
    ports: openPorts(config, ports, grafana),
    host: config.listenHost,
    images: config.images,
    subnet: config.subnet,
  });
  const context = { stack, projectFolder, reportsFolder: join(projectFolder, "staging-backups"), config, ports, workload, platform, grafana };
  const staging = new StagingStack(stack, { context, stackId: id });
  return {
    stackId: id,
    workload: workload.folder,
    ports: openPorts(config, ports, grafana),
    urls: staging.urls,
    reports: staging.reports,
    target: staging.target,
    copying: staging.copying,
  };
}

async function offsetOf(config: StackConfig, id: string): Promise<number> {
  const { portOffset, ports } = config;
  return portOffset === "auto" ? automaticOffset(id, { ...defaultPorts, ...ports }) : portOffset;
}
