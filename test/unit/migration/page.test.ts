import { expect, test } from "vitest";
import { renderMigrationPage } from "../../../engine/migration/page/page.ts";
import { timeline } from "../../../engine/migration/page/timeline.ts";
import { expectationsDocument } from "../../../engine/migration/expectations.ts";
import { migrationReport } from "../../../engine/migration/report.ts";
import type { MigrationReport, MigrationSection } from "../../../engine/migration/report.ts";

const { bounds } = expectationsDocument.parse({});
const summary = { requests: 100, errors: 0, p50Ms: 1, p99Ms: 5, worstMs: 6 };

const statement = (line: number, startMs: number, durationMs: number): MigrationSection["statements"][number] => ({
  direction: "up", file: "0001_case.up.sql", line, kind: "AlterTableStmt", sql: `ALTER TABLE t ADD COLUMN c${line} text -- <b>`, startMs, durationMs, rewrites: [], indexRebuilds: [], scans: [],
});
const lock = (heldMs: number, run: "alone" | "traffic" = "traffic"): MigrationSection["locks"][number] => ({
  run, direction: "up", relation: "public.t", mode: "ACCESS EXCLUSIVE", stops: "readers", fromMs: 1, heldMs, othersWaitedMs: 0, line: 2, source: "trace",
});
const traffic = (worstStallMs: number, slowestMs = worstStallMs): NonNullable<MigrationSection["traffic"]> => ({
  baseline: summary, during: summary, worstStallMs, migrationMs: 100,
  journal: { acknowledged: 5, verifiedKeys: 5, lost: [], unreadable: [] },
  statements: [{ line: 2, startMs: 0, durationMs: 90 }],
  slices: [{ fromMs: -50, toMs: 50, readMs: 2, writeMs: 0, requests: 3, failed: 0 }, { fromMs: 50, toMs: 150, readMs: 1, writeMs: slowestMs, requests: 3, failed: 0 }],
});
const section = (parts: Partial<MigrationSection>): MigrationSection => ({
  name: "0001_case", statements: [statement(2, 0, 90)], locks: [], waits: [], lockResolutionMs: 10, schemaChanges: [], figures: [], scale: [], ...parts,
});
const textOf = (part: MigrationSection) => timeline(part, bounds)?.text ?? "";
const glance = (part: MigrationSection) => /<p class="glance is-(\w+)">([^<]*)</.exec(textOf(part))?.slice(1);

test.each<[string, Partial<MigrationSection>, [tone: string, text: RegExp]]>([
  ["requests stood still", { locks: [lock(812)], traffic: traffic(808) }, ["failed", /^Requests stood still for 808 ms \(bound 500 ms\): line 2 holds ACCESS EXCLUSIVE on t for 812 ms\.$/]],
  ["a lock is held too long, and nobody came by", { locks: [lock(812)], traffic: traffic(0) }, ["failed", /^Line 2 holds ACCESS EXCLUSIVE on t for 812 ms \(bound 500 ms\): whoever comes meanwhile, to read or write, waits\.$/]],
  ["queries broke", { traffic: { ...traffic(0), slices: traffic(0).slices.map((slice) => ({ ...slice, failed: 2 })) } }, ["failed", /^4 requests of the running application broke/]],
  ["calm", { locks: [lock(4)], traffic: traffic(3) }, ["passed", /^No request waited longer than 3 ms .* held longer than 4 ms/]],
  ["no lock at all", { traffic: traffic(0) }, ["passed", /^No request was seen waiting for the migration; no lock on a table in use stops anybody\.$/]],
  ["without traffic", { locks: [lock(4, "alone")] }, ["passed", /^No lock that stops others was held longer than 4 ms/]],
  ["refused", { statements: [], refusal: { direction: "up", line: 3, message: "column does not exist" } }, ["failed", /^The server refuses line 3 of up: column does not exist$/]],
])("at a glance: %s", (_, parts, [tone, text]) => {
  const seen = glance(section(parts));
  expect(seen?.[0]).toBe(tone);
  expect(seen?.[1]).toMatch(text);
});

test("statements, locks and requests stand on one axis, and only what is beyond the bound is in the colour of a fault", () => {
  const drawn = textOf(section({ locks: [lock(90)], traffic: traffic(600) }));
  expect(drawn).toContain('<i class="statement" style="left:25.00%;width:45.00%">');
  expect(drawn).toContain('<i class="lock stops-readers" style="left:25.50%;width:45.00%"');
  expect(drawn.match(/<rect class="fault"/g)).toHaveLength(1);
  expect(drawn.match(/<rect class="read"/g)).toHaveLength(2);
  expect(drawn).toContain("bound 500 ms");
  expect(drawn).not.toContain("<b> ");
});

test("of many statements the longest have lanes of their own, the others share one", () => {
  const statements = Array.from({ length: 30 }, (_, index) => statement(index + 1, index * 10, index + 1));
  const drawn = textOf(section({ statements }));
  expect(drawn.match(/<i class="statement" style/g)).toHaveLength(30);
  expect(drawn).toContain("23 shorter statements");
  expect(drawn).toContain("<b>:30</b>");
  expect(drawn).not.toContain("<b>:3</b>");
});

test("a page that cannot ship says which check does not hold and what was seen, before anything else", () => {
  const failed = { id: "performance.lock-hold", category: "performance", title: "No lock is held long", severity: "error", status: "failed", evidence: "held 812 ms, from 0001_case.up.sql:2.\nmore", remedy: "Take it last.", durationMs: 1 } as const;
  const rate = { attempted: 2, succeeded: 2, rate: 1 };
  const report: MigrationReport = migrationReport.parse({
    schema: "understudy/migration-test-report", version: 1, stack: "local", workload: "shop", startedAt: "2026-11-21T12:00:00Z", durationMs: 5, verdict: "failed",
    checks: [failed, { ...failed, id: "performance.traffic-stall", status: "failed" }], runId: "r", server: "PostgreSQL 17", databaseSizeBytes: 1, cloneMs: 1,
    rates: { migrations: rate, rollbacks: { attempted: 0, succeeded: 0, rate: 0 } }, migrations: [section({ locks: [lock(812)], traffic: traffic(808) })],
  } satisfies MigrationReport);
  const page = renderMigrationPage(report, bounds);
  expect(page).toContain("0001_case cannot ship. “No lock is held long” does not hold: held 812 ms, from 0001_case.up.sql:2. 1 more check does not hold.");
  expect(page).toContain("none was run");
  const order = ["cannot ship", "Requests stood still", "What to do:", "All checks", "0001_case.up.sql:2</small>"].map((text) => page.indexOf(text));
  expect(order.every((at) => at > 0)).toBe(true);
  expect(order).toEqual(order.toSorted((one, other) => one - other));
  expect(page).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)=/);
});
