import { availableParallelism } from "node:os";
import type { ImageName } from "./images.ts";

/** What a container may use. */
export interface Limits {
  readonly memoryMb: number;
  /** Cores. */
  readonly cpus: number;
}

const exporter: Limits = { memoryMb: 64, cpus: 0.25 };

/** Some three times what each uses in a stack with its defaults; PostgreSQL's cover the copy and the rehearsal as well. */
const limits: Readonly<Record<ImageName, Limits>> = {
  postgres: { memoryMb: 1_024, cpus: 2 },
  redis: { memoryMb: 512, cpus: 1 },
  node: { memoryMb: 512, cpus: 1 },
  nginx: { memoryMb: 128, cpus: 1 },
  pgbouncer: { memoryMb: 64, cpus: 0.5 },
  prometheus: { memoryMb: 512, cpus: 1 },
  alertmanager: { memoryMb: 128, cpus: 0.25 },
  grafana: { memoryMb: 512, cpus: 1 },
  pgadmin: { memoryMb: 512, cpus: 1 },
  nodeExporter: exporter,
  postgresExporter: exporter,
  redisExporter: exporter,
  nginxExporter: exporter,
};

/** The engine refuses more cores than there are. */
export function limitsOf(image: ImageName, cores = availableParallelism()): Limits {
  const { memoryMb, cpus } = limits[image];
  return { memoryMb, cpus: Math.min(cpus, cores) };
}
