import { exitCode, UnderstudyError } from "../errors.ts";
import type { IntegrityRule } from "../integrity/index.ts";
import { environmentFlags, healthy } from "./application/health.ts";
import { journeyChecks, type JourneyMaker } from "./application/journeys.ts";
import { hasPages, notFound, stagingBanner, staticAssets } from "./application/pages.ts";
import { routeChecks } from "./application/routes.ts";
import { dashboardByRole, signInRefuses, signInWorks } from "./application/signIn.ts";
import { categories, type ValidationCheck } from "./check.ts";
import { everyRoleConnects, markerPresent } from "./database/connectivity.ts";
import { integrityChecks } from "./database/integrity.ts";
import { emailsMasked } from "./database/masking.ts";
import { appHasNoDdl, readOnlyCannotWrite } from "./database/privileges.ts";
import { standardQueries } from "./database/queries.ts";
import { tablesFilled } from "./database/tables.ts";
import { certificateServed, certificateValid } from "./infrastructure/certificate.ts";
import { dataFoldersPrivate, diskSpace } from "./infrastructure/folders.ts";
import { alertmanagerConnected, grafanaHealthy, prometheusRulesLoaded, prometheusTargetsUp } from "./infrastructure/monitoring.ts";
import { loopbackOnly, portsIsolated } from "./infrastructure/ports.ts";
import { servicesSteady, servicesUnprivileged, servicesUp } from "./infrastructure/services.ts";
import { appMetrics } from "./integration/appMetrics.ts";
import { exportersSeeServices, migrationLogReadable, proxyReachesApp } from "./integration/services.ts";
import { sessionsInRedis } from "./integration/session.ts";
import { writesReachDatabase } from "./integration/writeProbe.ts";
import { concurrentRequests, memoryBounded, pagesLoadFast, sequentialRequests } from "./performance/load.ts";
import type { Requirements } from "./requirements.ts";
import { cookieFlags, protectedRoutes, secretFilesPrivate } from "./security/access.ts";
import { accessLogFormat } from "./security/accessLog.ts";
import { headerChecks } from "./security/headers.ts";
import { noSecretInArguments, postgresAuthentication, postgresRefusesWrongPassword, redisRefusesWithoutPassword } from "./security/passwords.ts";
import { httpRedirects, tlsVersions } from "./security/transport.ts";
import { topologyChecks, type Topology } from "./topology/index.ts";

/**
 * Every check there is for a workload on a stack of this topology, by category in document 004's order; what a workload does not have
 * is not looked for. For one run: some share what they look at.
 */
export function catalogueOf(requirements: Requirements, rules: readonly IntegrityRule[], topology: Topology, journeys: readonly JourneyMaker[] = []): ValidationCheck[] {
  const where = (wanted: boolean, ...checks: ValidationCheck[]) => (wanted ? checks : []);
  const pages = hasPages(requirements);
  return [
    servicesUp,
    servicesSteady,
    servicesUnprivileged,
    loopbackOnly,
    portsIsolated,
    dataFoldersPrivate,
    certificateValid,
    certificateServed,
    diskSpace,
    prometheusTargetsUp,
    prometheusRulesLoaded,
    alertmanagerConnected,
    grafanaHealthy,

    healthy,
    ...where(requirements.health.flags.length > 0, environmentFlags),
    ...routeChecks(requirements),
    signInWorks,
    signInRefuses,
    ...where(requirements.dashboard !== undefined, dashboardByRole),
    staticAssets,
    notFound,
    ...where(pages, stagingBanner),
    ...journeyChecks(journeys),

    everyRoleConnects,
    markerPresent,
    tablesFilled,
    ...integrityChecks(rules),
    emailsMasked,
    appHasNoDdl,
    readOnlyCannotWrite,
    standardQueries,

    httpRedirects,
    tlsVersions,
    ...headerChecks,
    cookieFlags,
    protectedRoutes,
    secretFilesPrivate,
    postgresRefusesWrongPassword,
    postgresAuthentication,
    redisRefusesWithoutPassword,
    noSecretInArguments,
    accessLogFormat,

    ...where(pages, pagesLoadFast),
    sequentialRequests,
    concurrentRequests,
    memoryBounded,

    writesReachDatabase,
    sessionsInRedis,
    proxyReachesApp,
    exportersSeeServices,
    ...where(requirements.monitoring.appMetrics.length > 0, appMetrics),
    migrationLogReadable,

    ...topologyChecks(topology),
  ];
}

export interface Selection {
  /** The essential subset. Default false. */
  readonly quick?: boolean | undefined;
  /** Categories or ids; nothing else runs. Wins over `quick`. */
  readonly only?: readonly string[] | undefined;
  /** Categories or ids that do not run; in the report they are skipped. */
  readonly skip?: readonly string[] | undefined;
}

export interface Selected {
  readonly run: readonly ValidationCheck[];
  readonly leftOut: readonly ValidationCheck[];
}

/**
 * Picks what runs.
 * @throws UnderstudyError (exit 2) that names every unknown category or id, or when nothing is left to run.
 */
export function select(catalogue: readonly ValidationCheck[], { quick = false, only = [], skip = [] }: Selection): Selected {
  const known = new Set([...categories, ...catalogue.map(({ id }) => id)]);
  const unknown = [...only, ...skip].filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new UnderstudyError(`There is no check or category ${unknown.map((name) => `"${name}"`).join(", ")}.`, {
      exitCode: exitCode.usage,
      remedy: `Categories: ${categories.join(", ")}; a report lists the checks' ids.`,
    });
  }
  const names = (list: readonly string[], check: ValidationCheck) => list.includes(check.id) || list.includes(check.category);
  const wanted = catalogue.filter((check) => (only.length > 0 ? names(only, check) : !quick || check.quick));
  const run = wanted.filter((check) => !names(skip, check));
  if (run.length === 0) {
    throw new UnderstudyError("What was asked for leaves no check to run.", { exitCode: exitCode.usage, remedy: "Skip less, or ask for more with --only." });
  }
  return { run, leftOut: wanted.filter((check) => names(skip, check)) };
}
