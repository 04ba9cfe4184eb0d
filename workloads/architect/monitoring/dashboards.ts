import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { errorTrackingDashboard } from "./errorTrackingDashboard.ts";
import { performanceDashboard } from "./performanceDashboard.ts";
import { systemDashboard } from "./systemDashboard.ts";

/** Document 003's three dashboards by the name of their file under `dashboards/`. */
export function dashboards(): Readonly<Record<string, Dashboard>> {
  return {
    "api-performance.json": performanceDashboard().build(),
    "system-metrics.json": systemDashboard().build(),
    "error-tracking.json": errorTrackingDashboard().build(),
  };
}
