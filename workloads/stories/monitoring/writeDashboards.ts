import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { dashboards } from "./dashboards.ts";

// Run by `make dashboards`: writes the dashboards as the JSON that Grafana reads, and removes those that are no more.
const folder = fileURLToPath(new URL("dashboards", import.meta.url));
const files = dashboards();
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) if (!(name in files)) rmSync(join(folder, name));
for (const [name, dashboard] of Object.entries(files)) writeFileSync(join(folder, name), `${JSON.stringify(dashboard, null, 2)}\n`);
