import { Gauge } from "prom-client";
import { withDeadline } from "../../shared/deadline.ts";
import type { Cache } from "./cache.ts";
import type { Database } from "./database.ts";
import type { Deliveries } from "./deliveries.ts";
import type { Metrics } from "./metrics.ts";

export type HealthStatus = "healthy" | "degraded" | "unhealthy";
const components = ["database", "cache", "external_services"] as const;
type Component = (typeof components)[number];

/** Document 003's answer, to the letter. */
export interface HealthReport {
  readonly status: HealthStatus;
  /** ISO 8601 to the second, UTC. */
  readonly timestamp: string;
  readonly components: Readonly<Record<Component, HealthStatus>>;
}

const probeTimeoutMs = 2_000;

/**
 * Looks at every component now. Unhealthy, and so not to be sent anything, is who cannot read: without primary and replica, or on
 * its way out. Who lacks one of several servers goes on, degraded.
 */
export class Health {
  readonly #database: Database;
  readonly #cache: Cache;
  readonly #deliveries: Deliveries | undefined;
  #leaving = false;

  constructor(options: { database: Database; cache: Cache; deliveries: Deliveries | undefined; metrics: Metrics }) {
    this.#database = options.database;
    this.#cache = options.cache;
    this.#deliveries = options.deliveries;
    const up: Gauge<"component"> = new Gauge({
      name: "component_up",
      help: "1 when the component is healthy, 0.5 when degraded, 0 when not",
      labelNames: ["component"],
      registers: [options.metrics.registry],
      collect: async () => {
        const report = await this.check();
        for (const component of components) up.set({ component }, { healthy: 1, degraded: 0.5, unhealthy: 0 }[report.components[component]]);
      },
    });
  }

  /** From now on nothing should be sent here. */
  leave(): void {
    this.#leaving = true;
  }

  async check(): Promise<HealthReport> {
    const [database, cache] = await Promise.all([this.#databaseStatus(), this.#cacheStatus()]);
    const statuses = { database, cache, external_services: this.#deliveries === undefined || this.#deliveries.healthy ? "healthy" : "degraded" } as const;
    return {
      status: this.#leaving ? "unhealthy" : worst(Object.values(statuses)),
      timestamp: `${new Date().toISOString().slice(0, 19)}Z`,
      components: statuses,
    };
  }

  async #databaseStatus(): Promise<HealthStatus> {
    const servers = await withDeadline(this.#database.ping(), probeTimeoutMs).catch(() => undefined);
    if (servers === undefined) return "unhealthy";
    if (servers.primary && servers.replica !== false) return "healthy";
    return servers.primary || servers.replica === true ? "degraded" : "unhealthy";
  }

  async #cacheStatus(): Promise<HealthStatus> {
    return withDeadline(this.#cache.ping(), probeTimeoutMs).then(
      () => "healthy",
      () => "degraded",
    );
  }
}

function worst(statuses: readonly HealthStatus[]): HealthStatus {
  return (["unhealthy", "degraded"] as const).find((status) => statuses.includes(status)) ?? "healthy";
}
