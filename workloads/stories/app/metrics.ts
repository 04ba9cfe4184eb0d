import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** What is measured of a pool of connections. */
interface MeasuredPool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** The app's metrics in the Prometheus text format; names and labels are what alerts and dashboards are built on. */
export class Metrics {
  readonly registry = new Registry();

  readonly requestDuration = new Histogram({
    name: "http_request_duration_seconds",
    help: "Time from the request to the end of its answer",
    labelNames: ["method", "route", "status"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.registry],
  });
  readonly queryDuration = new Histogram({
    name: "app_database_query_duration_seconds",
    help: "Time of a statement, as the app sees it",
    labelNames: ["query"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.registry],
  });
  readonly databaseRetries = new Counter({
    name: "app_database_retries_total",
    help: "Statements and transactions tried again because a connection was lost",
    registers: [this.registry],
  });
  readonly cacheOperations = new Counter({
    name: "app_cache_operations_total",
    help: "Operations on the cache by outcome",
    labelNames: ["operation", "result"],
    registers: [this.registry],
  });
  readonly signIns = new Counter({
    name: "app_sign_ins_total",
    help: "Attempts to sign in by outcome",
    labelNames: ["result"],
    registers: [this.registry],
  });
  readonly ordersCreated = new Counter({
    name: "app_orders_created_total",
    help: "Orders placed",
    registers: [this.registry],
  });

  constructor(info: { version: string; environment: string }) {
    collectDefaultMetrics({ register: this.registry });
    const running = new Gauge({ name: "app_info", help: "Always 1; says what runs", labelNames: ["version", "environment"], registers: [] });
    running.set({ version: info.version, environment: info.environment }, 1);
    this.registry.registerMetric(running);
    for (const operation of ["get", "set", "delete"]) {
      for (const result of ["ok", "error"]) this.cacheOperations.inc({ operation, result }, 0);
    }
    for (const result of ["accepted", "refused"]) this.signIns.inc({ result }, 0);
  }

  watchPool(pool: MeasuredPool, size: number): void {
    const capacity = new Gauge({ name: "app_database_pool_size", help: "Most connections the app opens", registers: [] });
    capacity.set(size);
    this.registry.registerMetric(capacity);
    const connections = new Gauge({
      name: "app_database_pool_connections",
      help: "Connections by state, and requests that wait for one",
      labelNames: ["state"],
      registers: [],
      collect() {
        this.set({ state: "busy" }, pool.totalCount - pool.idleCount);
        this.set({ state: "idle" }, pool.idleCount);
        this.set({ state: "waiting" }, pool.waitingCount);
      },
    });
    this.registry.registerMetric(connections);
  }
}
