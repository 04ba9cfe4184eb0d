import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { prometheusDatasourceUid } from "../../../components/monitoring/grafana.ts";
import { dashboards as architect } from "../../../workloads/architect/monitoring/dashboards.ts";
import { dashboards as stories } from "../../../workloads/stories/monitoring/dashboards.ts";

interface Panel {
  type: string;
  title: string;
  description?: string;
  datasource?: { uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { refId: string; expr: string }[];
}
const panelsOf = (dashboard: unknown): Panel[] => (JSON.parse(JSON.stringify(dashboard)) as { panels: Panel[] }).panels;

describe.each([
  { workload: "architect", dashboards: architect },
  { workload: "stories", dashboards: stories },
])("dashboards of $workload", ({ workload, dashboards }) => {
  const folder = `workloads/${workload}/monitoring/dashboards`;

  test("the files are what the code makes (`make dashboards` writes them)", () => {
    const made = dashboards();
    expect(readdirSync(folder).sort()).toEqual(Object.keys(made).sort());
    for (const [name, dashboard] of Object.entries(made)) {
      expect(readFileSync(`${folder}/${name}`, "utf8"), name).toBe(`${JSON.stringify(dashboard, null, 2)}\n`);
    }
  });

  test("each has an address of its own", () => {
    const uids = Object.values(dashboards()).map(({ uid }) => uid);
    expect(new Set(uids).size).toBe(uids.length);
    for (const uid of uids) expect(uid).toMatch(/^[a-z-]{5,40}$/);
  });

  test.each(Object.entries(dashboards()))("%s: every panel says what it shows, asks our datasource and has a place of its own", (_name, dashboard) => {
    const panels = panelsOf(dashboard);
    const taken = new Set<string>();
    expect(panels.filter(({ type }) => type !== "row").length).toBeGreaterThan(5);
    for (const panel of panels) {
      const { x, y, w, h } = panel.gridPos;
      expect(x + w, panel.title).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column += 1) {
        for (let row = y; row < y + h; row += 1) {
          expect(taken.has(`${column} ${row}`), `${panel.title} lies over another panel`).toBe(false);
          taken.add(`${column} ${row}`);
        }
      }
      if (panel.type === "row") continue;
      expect(panel.description, panel.title).toBeTruthy();
      expect(panel.datasource?.uid, panel.title).toBe(prometheusDatasourceUid);
      const refIds = (panel.targets ?? []).map(({ refId }) => refId);
      expect(refIds.length, panel.title).toBeGreaterThan(0);
      expect(new Set(refIds).size, panel.title).toBe(refIds.length);
    }
  });
});
