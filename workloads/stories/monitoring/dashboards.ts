import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { dataDashboard } from "./dataDashboard.ts";
import { overviewDashboard } from "./overviewDashboard.ts";
import { roleMigrationDashboard } from "./roleMigrationDashboard.ts";

/** Every dashboard by the name of its file under `dashboards/`. */
export function dashboards(): Readonly<Record<string, Dashboard>> {
  return {
    "staging.json": overviewDashboard().build(),
    "role-migration.json": roleMigrationDashboard().build(),
    "data.json": dataDashboard().build(),
  };
}

