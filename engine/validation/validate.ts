import { messageOf } from "../errors.ts";
import { loadIntegrityRules } from "../integrity/index.ts";
import { journeysForValidation } from "../load/validationJourneys.ts";
import { interrupted, withSession } from "../postgres/session.ts";
import type { OnProgress } from "../progress.ts";
import type { CheckResult } from "../report/check.ts";
import type { ReportFiles } from "../report/report.ts";
import { writeReport } from "../report/write.ts";
import { connectionOf } from "../staging/database.ts";
import type { Workload } from "../workload/manifest.ts";
import { catalogueOf, select } from "./catalogue.ts";
import type { CheckContext, ValidationCheck } from "./check.ts";
import { createHttpClient, type HttpClient } from "./httpClient.ts";
import { redactAll } from "./redact.ts";
import { buildReport, renderValidationPage, type ValidationReport } from "./report.ts";
import { loadRequirements, type Requirements } from "./requirements.ts";
import { runChecks } from "./runChecks.ts";
import { readAccounts, signInAs, signOut, type SignedIn } from "./signIn.ts";
import { secretsOf, type ServiceSample, type ValidationTarget } from "./target.ts";

export interface ValidationOptions {
  readonly target: ValidationTarget;
  readonly workload: Workload;
  /** Where `staging-validation-report-*` is written. */
  readonly reportsFolder: string;
  /** The essential subset, about 2 s. Default false. */
  readonly quick?: boolean;
  /** Categories or check ids; nothing else runs. */
  readonly only?: readonly string[];
  /** Categories or check ids to leave out; the report shows them as skipped. */
  readonly skip?: readonly string[];
  /** Longest wait for what may come true only later (targets scraped, services up), in milliseconds. Default: each check's own, up to 10,000. */
  readonly patienceMs?: number;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks at a running stack in document 004's six categories and writes the report as JSON, HTML and JUnit.
 * Failed checks are in the report, not thrown: look at its verdict. Leaves nothing behind in the stack.
 * @throws UnderstudyError exit 2 for a wrong `validation.yaml` or integrity rule or an unknown check, exit 130 when interrupted.
 */
export async function validateStaging(options: ValidationOptions): Promise<{ report: ValidationReport; files: ReportFiles }> {
  const { target, workload, quick = false, only = [], skip = [] } = options;
  const [requirements, rules, journeys] = await Promise.all([loadRequirements(workload), loadIntegrityRules(workload), journeysForValidation(workload)]);
  const selected = select(catalogueOf(requirements, rules, target, journeys), { quick, only, skip });
  const startedAt = new Date();
  const start = performance.now();
  const checks = await runAll(selected.run, requirements, options);
  const results = redactAll([...checks, ...selected.leftOut.map(leftOut)], secretsOf(target));
  const facts = { target, workload: workload.manifest.name, startedAt, durationMs: performance.now() - start, quick, only, skip };
  const report = buildReport(results, facts);
  const files = await writeReport(report, {
    folder: options.reportsFolder,
    kind: "staging-validation-report",
    page: renderValidationPage(report),
    junit: true,
    now: startedAt,
  });
  return { report, files };
}

async function runAll(checks: readonly ValidationCheck[], requirements: Requirements, options: ValidationOptions): Promise<CheckResult[]> {
  const { target, workload, patienceMs, onProgress, signal } = options;
  const http = createHttpClient();
  const cleanUps: (() => Promise<unknown>)[] = [];
  const afterwards = (cleanUp: () => Promise<unknown>) => void cleanUps.push(cleanUp);
  const signedIn = oneSignIn({ target, requirements, http, afterwards });
  const services = rememberedServices(target);
  const contextOf = (signal: AbortSignal): CheckContext => ({
    target,
    requirements,
    workload,
    http,
    signal,
    services,
    signedIn,
    afterwards,
    session: (role, use, { writable = false } = {}) =>
      withSession(connectionOf(target.staging, role), { applicationName: "understudy validation", readOnly: !writable, statementTimeoutMs: 10_000, lockTimeoutMs: 2_000, signal }, use),
  });
  try {
    return await runChecks(checks, { contextOf, onProgress, signal, patienceMs });
  } catch (error) {
    throw signal?.aborted === true ? interrupted("Validation") : error;
  } finally {
    for (const cleanUp of cleanUps.toReversed()) {
      await cleanUp().catch((error: unknown) => onProgress({ step: "validation", message: `cleaning up: ${messageOf(error)}` }));
    }
    await http.close();
  }
}

/** Asking a platform costs processes or requests: checks that need no new look share the last one. */
function rememberedServices(target: ValidationTarget): CheckContext["services"] {
  let last: Promise<readonly ServiceSample[]> | undefined;
  return ({ fresh = false } = {}) => {
    if (fresh || last === undefined) last = Promise.all(target.services.map(async (service) => ({ service, state: await service.state() })));
    return last;
  };
}

const signInTimeoutMs = 5_000;

/** The run's one session through the proxy: made when first asked for, ended afterwards. */
function oneSignIn(options: {
  readonly target: ValidationTarget;
  readonly requirements: Requirements;
  readonly http: HttpClient;
  readonly afterwards: (cleanUp: () => Promise<unknown>) => void;
}): () => Promise<SignedIn> {
  const { target, requirements, http, afterwards } = options;
  let made: Promise<SignedIn> | undefined;
  const make = async (): Promise<SignedIn> => {
    // Its own deadline, not that of the check that happened to ask first.
    const signal = AbortSignal.timeout(signInTimeoutMs);
    const [account] = await withSession(
      connectionOf(target.staging, "readOnly"),
      { applicationName: "understudy validation", readOnly: true, statementTimeoutMs: signInTimeoutMs, signal },
      (client) => readAccounts(client, requirements),
    );
    if (account === undefined) throw new Error("there is no account to sign in with");
    const session = await signInAs(account, { baseUrl: target.httpsUrl, password: target.signInPassword, http, requirements, signal });
    afterwards(() => signOut(session, { baseUrl: target.httpsUrl, http, requirements }));
    return session;
  };
  return () => (made ??= make());
}

function leftOut({ id, category, title, severity }: ValidationCheck): CheckResult {
  return { id, category, title, severity, status: "skipped", evidence: "It was left out on request.", remedy: "Run without --skip to have it looked at.", durationMs: 0 };
}
