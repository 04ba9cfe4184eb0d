import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";

// Run by `make dashboards`: writes every workload's dashboards as the JSON that Grafana reads, and removes those that are no more.
const workloads = join(import.meta.dirname, "..");
for (const workload of readdirSync(workloads)) {
  const monitoring = join(workloads, workload, "monitoring");
  if (!existsSync(join(monitoring, "dashboards.ts"))) continue;
  const { dashboards } = (await import(join(monitoring, "dashboards.ts"))) as { dashboards: () => Readonly<Record<string, Dashboard>> };
  const files = dashboards();
  const folder = join(monitoring, "dashboards");
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (!(name in files)) rmSync(join(folder, name));
  for (const [name, dashboard] of Object.entries(files)) writeFileSync(join(folder, name), `${JSON.stringify(dashboard, null, 2)}\n`);
}
