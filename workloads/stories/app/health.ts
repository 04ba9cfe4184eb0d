import { monitorEventLoopDelay } from "node:perf_hooks";
import { Gauge } from "prom-client";
import { codeOf } from "../../shared/connectionLoss.ts";
import { withDeadline } from "../../shared/deadline.ts";
import type { Cache } from "./cache.ts";
import type { Database } from "./database.ts";
import { fresh } from "./fresh.ts";
import type { Metrics } from "./metrics.ts";
import type { AppSettings } from "./settings.ts";

export type HealthStatus = "healthy" | "degraded" | "unhealthy";

export interface ComponentHealth {
  readonly status: HealthStatus;
  readonly latencyMs: number;
  /** What was wrong, as a code: messages can hold addresses and names. */
  readonly error?: string;
}

export interface HealthReport {
  readonly status: HealthStatus;
  readonly environment: string;
  readonly version: string;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
  readonly uptimeSeconds: number;
  readonly flags: {
    readonly roleMigrationMode: boolean;
    readonly universalDashboard: boolean;
    readonly roleSelectionDisabled: boolean;
  };
  readonly components: Readonly<Record<"database" | "cache" | "app", ComponentHealth>>;
}

/** Metrics of one scrape share one look. */
const sharedForMs = 500;
const probeTimeoutMs = 2_000;
/** A component that answers later than this is degraded. */
const slowMs = 1_000;
/** An event loop that is blocked for longer makes the app degraded. */
const longestStallMs = 500;
const delayResolutionMs = 20;

/** Looks at every component now. Without the database nothing works; without the cache people can still read. */
export class Health {
  readonly #settings: AppSettings;
  readonly #database: Database;
  readonly #cache: Cache;
  readonly #delay = monitorEventLoopDelay({ resolution: delayResolutionMs });

  constructor(options: { settings: AppSettings; database: Database; cache: Cache; metrics: Metrics }) {
    this.#settings = options.settings;
    this.#database = options.database;
    this.#cache = options.cache;
    this.#delay.enable();
    this.#export(options.metrics);
  }

  async check(): Promise<HealthReport> {
    const [database, cache] = await Promise.all([
      probe(() => this.#database.ping(), "unhealthy"),
      probe(() => this.#cache.probe(), "degraded"),
    ]);
    const components = { database, cache, app: this.#app() };
    return {
      status: worst(Object.values(components)),
      environment: this.#settings.environment,
      version: this.#settings.version,
      timestamp: new Date().toISOString(),
      uptimeSeconds: Math.round(process.uptime()),
      flags: this.#settings.flags,
      components,
    };
  }

  close(): void {
    this.#delay.disable();
  }

  #app(): ComponentHealth {
    // The monitor measures from tick to tick, its own interval included.
    const stallMs = this.#delay.count === 0 ? 0 : Math.max(0, this.#delay.max / 1e6 - delayResolutionMs);
    this.#delay.reset();
    const latencyMs = rounded(stallMs);
    return latencyMs > longestStallMs ? { status: "degraded", latencyMs, error: "EVENT_LOOP_STALLED" } : { status: "healthy", latencyMs };
  }

  #export(metrics: Metrics): void {
    const latest = fresh(() => this.check(), sharedForMs);
    const gauge = (name: string, help: string, valueOf: (component: ComponentHealth) => number): void => {
      const made: Gauge<"component"> = new Gauge({
        name,
        help,
        labelNames: ["component"],
        registers: [],
        async collect() {
          for (const [component, health] of Object.entries((await latest()).components)) made.set({ component }, valueOf(health));
        },
      });
      metrics.registry.registerMetric(made);
    };
    gauge("app_component_up", "1 when the component answered its health probe", ({ error }) => (error === undefined ? 1 : 0));
    gauge("app_component_latency_seconds", "How long the component took to answer its health probe", ({ latencyMs }) => latencyMs / 1000);
  }
}

async function probe(run: () => Promise<void>, whenDown: HealthStatus): Promise<ComponentHealth> {
  const started = performance.now();
  try {
    await withDeadline(run(), probeTimeoutMs);
    const latencyMs = rounded(performance.now() - started);
    return { status: latencyMs > slowMs ? "degraded" : "healthy", latencyMs };
  } catch (error) {
    return { status: whenDown, latencyMs: rounded(performance.now() - started), error: codeOf(error) };
  }
}

function worst(components: readonly ComponentHealth[]): HealthStatus {
  const order: readonly HealthStatus[] = ["unhealthy", "degraded", "healthy"];
  return order.find((status) => components.some((component) => component.status === status)) ?? "healthy";
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
