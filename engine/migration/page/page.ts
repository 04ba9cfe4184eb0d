import { formatDuration } from "../../report/duration.ts";
import { renderPage } from "../../report/page.ts";
import type { PageContent } from "../../report/page.ts";
import { describeTotals, standingOf, worstFirst } from "../../report/standing.ts";
import type { Expectations } from "../expectations.ts";
import type { MigrationReport } from "../report.ts";
import { sectionsOf } from "./sections.ts";
import { timeline } from "./timeline.ts";

type Bounds = Expectations["bounds"];
type Rate = MigrationReport["rates"]["migrations"];

/** The page of a rehearsal: can it ship, why not, and the time line that shows it. */
export function renderMigrationPage(report: MigrationReport, bounds: Bounds): string {
  const areSeveral = report.migrations.length > 1;
  const content: PageContent = {
    title: "Migration rehearsal",
    stack: report.stack,
    workload: report.workload,
    verdict: report.verdict,
    headline: headlineOf(report),
    startedAt: report.startedAt,
    durationMs: report.durationMs,
    figures: figuresOf(report, bounds),
    lead: report.migrations.flatMap((section) => {
      const body = timeline(section, bounds);
      return body === undefined ? [] : [{ title: `${section.traffic === undefined ? "What it does" : "Under live traffic"}${areSeveral ? `, ${section.name}` : ""}`, body }];
    }),
    checks: report.checks,
    sections: report.migrations.flatMap((section) => sectionsOf(section, areSeveral)),
  };
  return renderPage(content);
}

/** The reason for the verdict in one sentence or two. */
export function headlineOf(report: MigrationReport): string {
  const names = report.migrations.map(({ name }) => name).join(", ") || "No migration";
  const worst = worstFirst(report.checks)[0];
  if (report.verdict === "passed") return `${names} can ship: ${describeTotals(report.checks)}, up and back ${report.rates.migrations.succeeded + report.rates.rollbacks.succeeded} times without a refusal.`;
  if (worst === undefined || !["failed", "errored"].includes(standingOf(worst))) return `${names} cannot ship: no check was seen to pass.`;
  const more = report.checks.filter((check) => ["failed", "errored"].includes(standingOf(check))).length - 1;
  const seen = (worst.evidence.split("\n", 1)[0] ?? "").replace(/[.:,…\s]+$/, "");
  return `${names} cannot ship. “${worst.title}” ${standingOf(worst) === "errored" ? "could not be checked" : "does not hold"}: ${seen}.${more > 0 ? ` ${more} more ${more === 1 ? "check does" : "checks do"} not hold.` : ""}`;
}

function figuresOf(report: MigrationReport, { stallMs, lockHoldMs }: Bounds): PageContent["figures"] {
  const percent = ({ rate, attempted }: Rate) => (attempted === 0 ? "–" : `${Math.floor(rate * 100)}%`);
  const of = ({ succeeded, attempted }: Rate) => (attempted === 0 ? "none was run" : `${succeeded} of ${attempted}, must be 100%`);
  const ups = report.migrations.flatMap(({ statements }) => statements.filter(({ direction }) => direction === "up"));
  const stops = report.migrations.flatMap(({ locks }) => locks.filter((lock) => lock.stops !== "nobody" && lock.direction === "up"));
  const stall = report.migrations.flatMap(({ traffic }) => (traffic === undefined ? [] : [traffic.worstStallMs]));
  const acknowledged = report.migrations.reduce((sum, { traffic }) => sum + (traffic?.journal.acknowledged ?? 0), 0);
  const lost = report.migrations.reduce((sum, { traffic }) => sum + (traffic?.journal.lost.length ?? 0), 0);
  return [
    { label: "Migrations", value: percent(report.rates.migrations), note: of(report.rates.migrations) },
    { label: "Rollbacks", value: percent(report.rates.rollbacks), note: of(report.rates.rollbacks) },
    { label: "Up takes", value: formatDuration(ups.reduce((sum, { durationMs }) => sum + durationMs, 0)), note: `${ups.length} ${ups.length === 1 ? "statement" : "statements"}` },
    { label: "Longest lock in the way", value: formatDuration(Math.max(0, ...stops.map(({ heldMs }) => heldMs))), note: `bound ${formatDuration(lockHoldMs)}` },
    ...(stall.length === 0 ? [] : [{ label: "Longest wait for it", value: formatDuration(Math.max(...stall)), note: `bound ${formatDuration(stallMs)}` }]),
    ...(acknowledged === 0 ? [] : [{ label: "Acknowledged writes lost", value: String(lost), note: `of ${acknowledged}` }]),
  ];
}
