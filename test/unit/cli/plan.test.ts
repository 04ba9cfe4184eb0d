import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { describe, expect, it } from "vitest";
import { planOf, type Plan, type PlannedChange } from "../../../cli/plan.ts";
import { planAsMarkdown, planAsText } from "../../../cli/planText.ts";

const console = { color: false, live: false, result: () => {}, note: () => {} };

function event(op: string, before: Record<string, unknown>, after: Record<string, unknown>, kind = "Service", name = "cache", module = "pulumi-nodejs:dynamic/understudy:"): EngineEvent {
  const state = (inputs: Record<string, unknown>) => ({ inputs, outputs: {}, urn: "", type: "", custom: true, id: "", parent: "", provider: "" });
  return {
    sequence: 1,
    timestamp: 1,
    resourcePreEvent: {
      metadata: {
        op,
        urn: `urn:pulumi:local::understudy::${module}${kind}::${name}`,
        type: `${module}${kind}`,
        old: state(before),
        new: state(after),
      },
    },
  } as unknown as EngineEvent;
}

const plan = (changes: readonly PlannedChange[], exists = true): Plan => ({ stack: "local", exists, durationMs: 1_200, changes });

describe("a plan", () => {
  it("says which leaf of a property changed, not the whole", () => {
    const [change] = planOf(event("replace", { ports: { main: 6380, other: 1 }, same: "x" }, { ports: { main: 6999, other: 1 }, same: "x" }));
    expect(change).toEqual({ resource: "cache", kind: "Service", operation: "replace", properties: [{ property: "ports.main", before: 6380, after: 6999 }] });
  });

  it("leaves out components, the closure of the provider and the halves of a replacement", () => {
    expect(planOf(event("update", { __provider: "a" }, { __provider: "b" }))[0]?.properties).toEqual([]);
    expect(planOf(event("create-replacement", {}, {}))).toEqual([]);
    expect(planOf(event("create", {}, {}, "App", "app", "understudy:index:"))).toEqual([]);
  });

  it("does not show a placeholder for what is not known yet", () => {
    const [change] = planOf(event("update", { copyId: "a" }, { copyId: "04da6b54-80e4-46f7-96ec-b56ff0331ba9" }));
    expect(change?.properties).toEqual([{ property: "copyId", before: "a", after: "(known after up)" }]);
  });

  const changes = [
    ...planOf(event("create", {}, {}, "Secret", "new-secret")),
    ...planOf(event("same", {}, {}, "Volume", "data")),
    ...planOf(event("replace", { ports: { main: 1 } }, { ports: { main: 2 } })),
    ...planOf(event("delete", {}, {}, "Service", "grafana")),
  ];

  it("leads with what is replaced or destroyed, in text and in Markdown", () => {
    const text = planAsText(plan(changes), { console, diff: false });
    expect(text.split("\n")).toEqual([
      "+- cache (Service)  ports.main",
      "-  grafana (Service)",
      "+  new-secret (Secret)",
      "Stack local: 1 to replace, 1 to delete, 1 to create, 1 as they are (1.2 s)",
    ]);
    const markdown = planAsMarkdown(plan(changes), true);
    expect(markdown).toContain("⚠️ 2 resource(s) replaced or destroyed");
    expect(markdown.indexOf("Replaced (1)")).toBeLessThan(markdown.indexOf("Destroyed (1)"));
    expect(markdown.indexOf("Destroyed (1)")).toBeLessThan(markdown.indexOf("Created (1)"));
    expect(markdown).toContain("cache ports.main: 1 => 2");
  });

  it("says plainly when nothing changes, and when the stack does not exist", () => {
    const still = planOf(event("same", {}, {}));
    expect(planAsText(plan(still), { console, diff: false })).toBe("Stack local: no changes, 1 resources as they are (1.2 s)");
    expect(planAsMarkdown(plan(still), false)).toContain("No changes");
    expect(planAsMarkdown(plan(changes, false), false)).toContain("does not exist yet");
  });

  it("shows the lines of a file that change, not the file", () => {
    const files = planOf(event("update", { conf: "a\nport 1\nz\n" }, { conf: "a\nport 2\nz\n" }));
    expect(planAsText(plan(files), { console, diff: true })).toContain("conf:\n        - port 1\n        + port 2");
  });

  it("cannot be broken out of by what a property holds", () => {
    const nasty = planOf(event("update", { text: "x" }, { text: "```\n</details>" }));
    const markdown = planAsMarkdown(plan(nasty), true);
    expect(markdown).toContain("````diff");
  });
});
