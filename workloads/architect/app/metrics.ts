import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import { ErrorRate } from "./errorRate.ts";

/** What is measured of a pool of connections. */
interface MeasuredPool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** The API's metrics in the Prometheus text format, by the names that document 003 expects. */
export class Metrics {
  readonly registry = new Registry();
  readonly #errorRate = new ErrorRate();
  #cacheHits = 0;
  #cacheMisses = 0;

  readonly requests = new Counter({
    name: "http_requests_total",
    help: "Requests answered",
    labelNames: ["method", "route", "status"],
    registers: [this.registry],
  });
  readonly requestDuration = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from the request to the end of its answer",
    labelNames: ["method", "route", "status"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10],
    registers: [this.registry],
  });
  readonly queryDuration = new Histogram({
    name: "database_query_duration_seconds",
    help: "Time of a statement, as the API sees it",
    labelNames: ["query", "server"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.registry],
  });
  readonly databaseRetries = new Counter({
    name: "database_retries_total",
    help: "Statements tried again because a connection was lost, by the server that was lost",
    labelNames: ["server"],
    registers: [this.registry],
  });
  readonly cacheOperations = new Counter({
    name: "cache_operations_total",
    help: "Operations on the cache by outcome",
    labelNames: ["operation", "result"],
    registers: [this.registry],
  });
  readonly signIns = new Counter({ name: "sign_ins_total", help: "Attempts to sign in by outcome", labelNames: ["result"], registers: [this.registry] });
  readonly eventsCreated = new Counter({ name: "events_created_total", help: "Events taken in", registers: [this.registry] });
  readonly errorsReported = new Counter({ name: "errors_reported_total", help: "Errors taken in", registers: [this.registry] });
  readonly deliveries = new Counter({
    name: "webhook_deliveries_total",
    help: "Attempts to deliver an event to a webhook by outcome",
    labelNames: ["result"],
    registers: [this.registry],
  });

  constructor(info: { version: string; environment: string }) {
    collectDefaultMetrics({ register: this.registry });
    const running = new Gauge({ name: "app_info", help: "Always 1; says what runs", labelNames: ["version", "environment"], registers: [this.registry] });
    running.set({ version: info.version, environment: info.environment }, 1);
    for (const operation of ["get", "set", "delete"]) {
      for (const result of ["ok", "error"]) this.cacheOperations.inc({ operation, result }, 0);
    }
    for (const result of ["accepted", "refused"]) this.signIns.inc({ result }, 0);
    for (const result of ["delivered", "failed", "suppressed"]) this.deliveries.inc({ result }, 0);
    const collected = (name: string, help: string, value: () => number): void => {
      const gauge: Gauge = new Gauge({ name, help, registers: [this.registry], collect: () => gauge.set(value()) });
    };
    collected("cache_hit_ratio", "Share of cached reads that the cache had, since the start; 1 before the first", () => {
      const reads = this.#cacheHits + this.#cacheMisses;
      return reads === 0 ? 1 : this.#cacheHits / reads;
    });
    collected("error_rate", "Share of requests answered with 5xx in the last minute", () => this.#errorRate.share());
  }

  answered(labels: { readonly method: string; readonly route: string; readonly status: string }, durationMs: number): void {
    this.requests.inc(labels);
    this.requestDuration.observe(labels, durationMs / 1_000);
    this.#errorRate.note(labels.status.startsWith("5"));
  }

  /** A read that the cache may spare. */
  cachedRead(hit: boolean): void {
    if (hit) this.#cacheHits += 1;
    else this.#cacheMisses += 1;
  }

  watchPools(pools: Readonly<Record<string, MeasuredPool>>, size: number): void {
    const most = new Gauge({ name: "database_connections_max", help: "Most connections the API opens to a server", labelNames: ["server"], registers: [this.registry] });
    for (const server of Object.keys(pools)) {
      most.set({ server }, size);
      this.databaseRetries.inc({ server }, 0);
    }
    const connections: Gauge<"server" | "state"> = new Gauge({
      name: "database_connections",
      help: "Connections by state, and requests that wait for one",
      labelNames: ["server", "state"],
      registers: [this.registry],
      collect: () => {
        for (const [server, pool] of Object.entries(pools)) {
          connections.set({ server, state: "busy" }, pool.totalCount - pool.idleCount);
          connections.set({ server, state: "idle" }, pool.idleCount);
          connections.set({ server, state: "waiting" }, pool.waitingCount);
        }
      },
    });
  }
}
