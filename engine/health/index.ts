export { probe } from "./probe.ts";
export type { ProbeResult } from "./probe.ts";
export { documentHealth, patienceMs } from "./settings.ts";
export type { HealthSettings } from "./settings.ts";
export type { HealthSpec, HttpHealth, PostgresHealth, PrometheusTargetsHealth, RedisHealth, TcpHealth } from "./spec.ts";
export type { ProcessExit, SupervisorState } from "./supervisor.ts";
export { waitUntilHealthy } from "./wait.ts";
export type { WaitUntilHealthy } from "./wait.ts";
