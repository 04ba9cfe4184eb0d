import { findProgram } from "../engine/process/findProgram.ts";

/** Who needs a package: every stack, the monitoring of a stack, a stack with connection pooling, or the tests only. */
export type PackageProfile = "base" | "monitoring" | "pooling" | "test";

/** A package of the system, as Debian 12 names it. */
export interface SystemPackage {
  readonly name: string;
  /** Programs of which one proves it is there, wherever it came from: names on PATH, or glob patterns of absolute paths. */
  readonly provenBy: readonly string[];
  /** What the stack does with it, for the person who is asked to have it installed. */
  readonly purpose: string;
  readonly profile: PackageProfile;
}

/** Everything Understudy asks of the system beside Node and the Pulumi engine. */
export const systemPackages: readonly SystemPackage[] = [
  {
    name: "postgresql-15",
    provenBy: ["/usr/lib/postgresql/1[3-7]/bin/postgres", "postgres"],
    purpose: "PostgreSQL, for the staging and the sample database",
    profile: "base",
  },
  { name: "redis-server", provenBy: ["redis-server"], purpose: "Redis, the app's cache and sessions", profile: "base" },
  { name: "nginx-light", provenBy: ["nginx"], purpose: "nginx, the HTTPS proxy", profile: "base" },
  { name: "s6", provenBy: ["s6-svscan"], purpose: "s6, the supervisor of the stack's processes", profile: "base" },
  {
    name: "prometheus",
    provenBy: ["promtool"],
    purpose: "Prometheus, and promtool to test the alert rules",
    profile: "monitoring",
  },
  {
    name: "prometheus-alertmanager",
    provenBy: ["prometheus-alertmanager"],
    purpose: "Alertmanager",
    profile: "monitoring",
  },
  {
    name: "prometheus-node-exporter",
    provenBy: ["prometheus-node-exporter"],
    purpose: "the machine's metrics",
    profile: "monitoring",
  },
  {
    name: "prometheus-postgres-exporter",
    provenBy: ["prometheus-postgres-exporter"],
    purpose: "PostgreSQL's metrics",
    profile: "monitoring",
  },
  {
    name: "prometheus-redis-exporter",
    provenBy: ["prometheus-redis-exporter"],
    purpose: "Redis' metrics",
    profile: "monitoring",
  },
  {
    name: "prometheus-nginx-exporter",
    provenBy: ["prometheus-nginx-exporter"],
    purpose: "nginx' metrics",
    profile: "monitoring",
  },
  { name: "pgbouncer", provenBy: ["pgbouncer"], purpose: "PgBouncer, for stacks with database.pooling", profile: "pooling" },
  {
    name: "chromium",
    provenBy: ["chromium"],
    purpose: "a browser, to look at reports and pages in the tests",
    profile: "test",
  },
];

/**
 * The packages of some profiles that are not there.
 *
 * @param find how to look for a program; the real one by default
 */
export function missingPackages(
  profiles: readonly PackageProfile[],
  find: (program: string) => string | undefined = findProgram,
): SystemPackage[] {
  return systemPackages.filter(
    ({ profile, provenBy }) => profiles.includes(profile) && !provenBy.some((program) => find(program) !== undefined),
  );
}
