import { spawn } from "node:child_process";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadIntegrityRules } from "../../../engine/integrity/index.ts";
import { silent } from "../../../engine/progress.ts";
import type { CheckResult } from "../../../engine/report/check.ts";
import { createCertificate } from "../../../engine/tls/certificate.ts";
import { catalogueOf } from "../../../engine/validation/catalogue.ts";
import { loadRequirements } from "../../../engine/validation/requirements.ts";
import { validateStaging } from "../../../engine/validation/validate.ts";
import type { Workload } from "../../../engine/workload/manifest.ts";
import { alertNames, startWorld, type ProxyAnswer, type World } from "./world.ts";

/** Undone after the check has looked. */
type Undo = (() => Promise<unknown>) | undefined;

interface PlantedFault {
  readonly check: string;
  readonly what: string;
  plant(world: World): Promise<Undo> | Undo;
  /** In the evidence of the check that found it. */
  readonly says: RegExp;
  /** `errored` where the fault keeps the check from looking at all. Default `failed`. */
  readonly status?: "failed" | "errored";
}

let world: World;
let reports: string;

beforeAll(async () => {
  world = await startWorld();
  reports = await mkdtemp(join(tmpdir(), "understudy-reports-"));
  const rules = parse(await readFile(world.workload.path(world.workload.manifest.monitoring.rules), "utf8")) as { groups: { rules: { alert?: string; record?: string }[] }[] };
  alertNames.push(...rules.groups.flatMap((group) => group.rules.map(({ alert, record }) => alert ?? record ?? "")));
});
afterEach(() => world.calm());
afterAll(async () => {
  await world?.stop();
  await rm(reports, { recursive: true, force: true });
});

async function validate(only: readonly string[] = [], workload: Workload = world.workload): Promise<readonly CheckResult[]> {
  const { report } = await validateStaging({ target: world.target, workload, reportsFolder: reports, only, patienceMs: 0, onProgress: silent });
  return report.checks;
}

const onProxy = (change: (answer: ProxyAnswer, path: string) => ProxyAnswer) => (world: World) => {
  world.faults.proxy = change;
  return undefined;
};
const withHeader = (name: string, value: string | undefined) =>
  onProxy((answer) => {
    const { [name]: _, ...headers } = answer.headers;
    return { ...answer, headers: value === undefined ? headers : { ...headers, [name]: value } };
  });
const withState = (change: Record<string, unknown>) => (world: World) => {
  world.faults.state = (name, state) => (name === "app" ? { ...state, ...change } : state);
  return undefined;
};
const onMonitoring = (path: string, document: unknown) => (world: World) => {
  world.faults.monitoring = (answer, asked) => (asked.startsWith(path) ? document : answer);
  return undefined;
};
const sql = (fault: string, repair: string) => async (world: World) => {
  await world.app.sql(fault);
  return () => world.app.sql(repair);
};
/** The workload with another validation.yaml, for what the world cannot be made to show. */
const asking = async (change: (document: Record<string, Record<string, unknown>>) => void): Promise<Workload> => {
  const file = join(reports, "validation.yaml");
  const document = parse(await readFile(world.workload.path(world.workload.manifest.validation), "utf8")) as Record<string, Record<string, unknown>>;
  change(document);
  await writeFile(file, JSON.stringify(document));
  return { ...world.workload, path: (relative) => (relative === world.workload.manifest.validation ? file : world.workload.path(relative)) };
};

/** Another file in place of the stack's certificate. */
const certificate = (options: Parameters<typeof createCertificate>[0]) => async (world: World) => {
  const file = join(reports, "other.pem");
  await writeFile(file, (await createCertificate(options)).certificatePem);
  world.target.certificateFile = file;
  return undefined;
};
const changedService = (change: object) => (world: World) => {
  world.target.services = world.target.services.map((service) => (service.name === "database" ? { ...service, ...change } : service));
  return undefined;
};
const day = 86_400_000;

const faults: readonly PlantedFault[] = [
  { check: "infrastructure.services-up", what: "a service is down", plant: withState({ up: false }), says: /app .* is down/ },
  { check: "infrastructure.services-steady", what: "a service ends again and again", plant: withState({ restarts: 4, uptimeMs: 900 }), says: /app has ended 4 times/ },
  {
    check: "infrastructure.services-steady",
    what: "a service changes its process while looked at",
    plant: (world) => {
      let pid = 100;
      world.faults.state = (_, state) => ({ ...state, pid: (pid += 1) });
      return undefined;
    },
    says: /was restarted while looked at/,
  },
  { check: "infrastructure.services-unprivileged", what: "a service runs as root by name", plant: withState({ user: "root" }), says: /app runs as root/ },
  { check: "infrastructure.services-unprivileged", what: "a service runs as uid 0", plant: withState({ user: "0" }), says: /app runs as root/ },
  {
    check: "infrastructure.loopback-only",
    what: "a service listens on every address",
    plant: async (world) => {
      const server = createServer();
      const port = await new Promise<number>((resolve) => server.listen(0, "0.0.0.0", () => resolve((server.address() as { port: number }).port)));
      world.target.services = [...world.target.services, { name: "stray", host: "127.0.0.1", port, secretFiles: [], state: () => Promise.resolve({ up: true, restarts: 0 }) }];
      return () => new Promise((resolve) => server.close(resolve));
    },
    says: /stray listens on 0\.0\.0\.0/,
  },
  { check: "infrastructure.loopback-only", what: "nothing listens on a service's port", plant: changedService({ port: 1 }), says: /nothing listens on port 1 \(database\)/ },
  { check: "infrastructure.ports-isolated", what: "a service is on production's port", plant: changedService({ port: 5432 }), says: /database is on production's port 5432/ },
  {
    check: "infrastructure.ports-isolated",
    what: "staging's server is the source's",
    plant: (world) => {
      world.target.source = { host: "127.0.0.1", port: world.app.postgres.port, database: "production", user: "reader", password: "source-password" };
      return undefined;
    },
    says: /and the source are both/,
  },
  {
    check: "infrastructure.data-folders",
    what: "others may look into a data folder",
    plant: async (world) => {
      await chmod(join(world.folder, "data"), 0o755);
      return () => chmod(join(world.folder, "data"), 0o700);
    },
    says: /has mode 0755/,
  },
  { check: "infrastructure.data-folders", what: "a data folder is gone", plant: changedService({ dataFolder: "/nowhere/at/all" }), says: /is not there/ },
  { check: "infrastructure.certificate", what: "it ends in 20 days", plant: certificate({ now: new Date(Date.now() - 345 * day) }), says: /it ends on .*(19|20)\.\d days/ },
  { check: "infrastructure.certificate", what: "it has ended", plant: certificate({ now: new Date(Date.now() - 400 * day) }), says: /it ended on/ },
  { check: "infrastructure.certificate", what: "it is not valid yet", plant: certificate({ now: new Date(Date.now() + 2 * day) }), says: /not valid before/ },
  { check: "infrastructure.certificate", what: "it lives for ten years", plant: certificate({ days: 3650 }), says: /3650 days in all/ },
  { check: "infrastructure.certificate", what: "it is for another host", plant: certificate({ dnsNames: ["example.org"] }), says: /not for localhost/ },
  { check: "infrastructure.certificate", what: "it lacks ::1", plant: certificate({ ipAddresses: ["127.0.0.1"] }), says: /not for ::1/ },
  {
    check: "infrastructure.certificate",
    what: "the file is none",
    plant: async (world) => {
      world.target.certificateFile = join(world.folder, "secret");
      return undefined;
    },
    says: /could not run/,
    status: "errored",
  },
  { check: "infrastructure.certificate-served", what: "the proxy still serves another one", plant: certificate({}), says: /the proxy serves .*, .* holds/ },
  {
    check: "infrastructure.prometheus-targets",
    what: "a target is down",
    plant: onMonitoring("/api/v1/targets", { status: "success", data: { activeTargets: ["prometheus", "node", "postgres", "redis", "nginx", "app"].map((job) => ({ labels: { job }, scrapeUrl: "http://x/", health: job === "redis" ? "down" : "up", lastError: job === "redis" ? "connection refused" : "" })) } }),
    says: /redis .* is down: connection refused/,
  },
  { check: "infrastructure.prometheus-targets", what: "a job has no target", plant: onMonitoring("/api/v1/targets", { status: "success", data: { activeTargets: [{ labels: { job: "node" }, scrapeUrl: "http://x/", health: "up", lastError: "" }] } }), says: /no target of job postgres/ },
  { check: "infrastructure.prometheus-targets", what: "Prometheus answers nothing of use", plant: onMonitoring("/api/v1/targets", undefined), says: /Prometheus answered 503/, status: "errored" },
  { check: "infrastructure.prometheus-rules", what: "a rule is not loaded", plant: onMonitoring("/api/v1/rules", { status: "success", data: { groups: [] } }), says: /is not loaded/ },
  {
    check: "infrastructure.prometheus-rules",
    what: "a rule cannot be evaluated",
    plant: (world) => {
      const document = { status: "success", data: { groups: [{ rules: alertNames.map((name, index) => ({ name, type: "alerting", health: index === 0 ? "err" : "ok", lastError: "many-to-many" })) }] } };
      return onMonitoring("/api/v1/rules", document)(world);
    },
    says: /cannot be evaluated: many-to-many/,
  },
  { check: "infrastructure.alertmanager", what: "Prometheus knows none", plant: onMonitoring("/api/v1/alertmanagers", { status: "success", data: { activeAlertmanagers: [] } }), says: /knows no Alertmanager/ },
  { check: "infrastructure.alertmanager", what: "it is not ready", plant: onMonitoring("/-/ready", undefined), says: /answers 503/ },
  { check: "infrastructure.grafana", what: "its database fails", plant: onMonitoring("/api/health", { database: "failing" }), says: /database failing/ },

  { check: "application.health", what: "a component is unhealthy", plant: onProxy((answer, path) => (path === "/api/health" ? { ...answer, body: answer.body.replace('"cache":{"status":"healthy"', '"cache":{"status":"degraded"') } : answer)), says: /cache is "degraded"/ },
  { check: "application.health", what: "a component is not mentioned", plant: onProxy((answer, path) => (path === "/api/health" ? { ...answer, body: answer.body.replace('"cache"', '"other"') } : answer)), says: /cache is "not mentioned"/ },
  { check: "application.health", what: "the proxy's error page instead of health", plant: onProxy((answer) => ({ ...answer, status: 502, body: "<h1>Bad gateway" })), says: /not JSON/, status: "errored" },
  { check: "application.flags", what: "a switch is off", plant: onProxy((answer) => ({ ...answer, body: answer.body.replace('"roleMigrationMode":true', '"roleMigrationMode":false') })), says: /\/flags\/roleMigrationMode is false/ },
  { check: "application.flags", what: "another environment", plant: onProxy((answer) => ({ ...answer, body: answer.body.replace('"environment":"staging"', '"environment":"production"') })), says: /"production", not "staging"/ },
  { check: "application.route-home", what: "it fails", plant: onProxy((answer, path) => (path === "/" ? { ...answer, status: 500 } : answer)), says: /answered 500, not 200/ },
  { check: "application.route-stories", what: "its content is gone", plant: onProxy((answer) => ({ ...answer, body: answer.body.replaceAll("/stories/", "/") })), says: /"\/stories\/" is not in it/ },
  { check: "application.route-sign-in", what: "the form is gone", plant: onProxy((answer) => ({ ...answer, body: answer.body.replace('type="password"', "") })), says: /is not in it/ },
  { check: "application.route-api-stories", what: "the list is empty", plant: onProxy((answer, path) => (path.startsWith("/api/stories") ? { ...answer, body: '{"data":[],"total":0}' } : answer)), says: /\/data has 0, fewer than 1/ },
  { check: "application.route-dashboard", what: "it shows nobody signed in", plant: onProxy((answer) => ({ ...answer, body: answer.body.replaceAll("Sign out", "") })), says: /"Sign out" is not in it/ },
  { check: "application.route-orders", what: "it redirects", plant: onProxy((answer, path) => (path === "/orders" ? { ...answer, status: 303 } : answer)), says: /answered 303/ },
  { check: "application.route-api-orders", what: "another shape", plant: onProxy((answer, path) => (path === "/api/orders" ? { ...answer, body: "[]" } : answer)), says: /\/data is nothing, not of type array/ },
  { check: "application.route-api-me", what: "the role migration has no effect", plant: onProxy((answer) => ({ ...answer, body: answer.body.replace('"effectiveRole":"CUSTOMER"', '"effectiveRole":"LEARNER"') })), says: /"LEARNER", not "CUSTOMER"/ },
  { check: "application.route-choose-role", what: "role selection is there", plant: onProxy((answer, path) => (path === "/choose-role" ? { ...answer, status: 200 } : answer)), says: /answered 200, not 404/ },
  {
    check: "application.sign-in",
    what: "the password is not the stack's",
    plant: (world) => {
      world.target.signInPassword = "another-password";
      return undefined;
    },
    says: /answered 401 with no cookie/,
  },
  {
    check: "application.sign-in",
    what: "no password was given",
    plant: (world) => {
      delete world.target.signInPassword;
      return undefined;
    },
    says: /was not given/,
    status: "errored",
  },
  {
    check: "application.sign-in-refuses",
    what: "every password opens",
    plant: async (world) => {
      const { child, port } = await world.app.startInstance({ STAGING_SIGN_IN_PASSWORD: "not-the-password" });
      world.target.appUrl = `http://127.0.0.1:${port}`;
      return () => child.stop("SIGKILL");
    },
    says: /answered 200, not 401 or 403/,
  },
  {
    check: "application.dashboard-by-role",
    what: "roles see their own dashboards",
    plant: async (world) => {
      const { child, port } = await world.app.startInstance({ ENABLE_UNIVERSAL_DASHBOARD: "false" });
      world.target.appUrl = `http://127.0.0.1:${port}`;
      return () => child.stop("SIGKILL");
    },
    says: /TEACHER: "data-dashboard="universal"" is not in it/,
  },
  { check: "application.static-assets", what: "no caching", plant: withHeader("cache-control", undefined), says: /Cache-Control nothing/ },
  { check: "application.static-assets", what: "a wrong type", plant: withHeader("content-type", "text/plain"), says: /has type text\/plain, not text\/css/ },
  { check: "application.static-assets", what: "an asset is gone", plant: onProxy((answer, path) => (path.endsWith(".svg") ? { ...answer, status: 404 } : answer)), says: /favicon\.svg answered 404/ },
  { check: "application.not-found", what: "everything is found", plant: onProxy((answer) => ({ ...answer, status: 200 })), says: /answered 200, not 404/ },
  { check: "application.not-found", what: "the API answers with a page", plant: withHeader("content-type", "text/html"), says: /not application\/json/ },
  { check: "application.staging-banner", what: "a page lacks it", plant: onProxy((answer, path) => (path === "/stories" ? { ...answer, body: answer.body.replace('id="staging-banner"', "") } : answer)), says: /\/stories lacks/ },
  {
    check: "application.staging-banner",
    what: "no page is HTML any more",
    plant: withHeader("content-type", "text/plain"),
    says: /nothing to look at/,
    status: "errored",
  },

  { check: "database.connect", what: "a role may not connect", plant: sql("ALTER ROLE staging_user NOLOGIN", "ALTER ROLE staging_user LOGIN"), says: /app: .*not permitted to log in/ },
  { check: "database.marker", what: "the marker is gone", plant: sql("DELETE FROM staging_logs.marker", "INSERT INTO staging_logs.marker (stack) VALUES ('test')"), says: /no row/ },
  { check: "database.marker", what: "it is another stack's", plant: sql("UPDATE staging_logs.marker SET stack = 'other'", "UPDATE staging_logs.marker SET stack = 'test'"), says: /belongs to stack "other"/ },
  { check: "database.tables", what: "a table is gone", plant: sql('ALTER TABLE "Donation" RENAME TO "Gone"', 'ALTER TABLE "Gone" RENAME TO "Donation"'), says: /Donation is not there/ },
  { check: "database.tables", what: "a table is empty", plant: sql('CREATE TABLE kept AS TABLE "Story"; CREATE TABLE kept_reading AS TABLE "UserStory"; DELETE FROM "UserStory"; DELETE FROM "Story"', 'INSERT INTO "Story" TABLE kept; INSERT INTO "UserStory" TABLE kept_reading; DROP TABLE kept, kept_reading'), says: /Story has 0 rows, fewer than 1/ },
  {
    check: "database.foreign-keys",
    what: "orphans behind the constraint's back",
    plant: sql(`SET session_replication_role = replica; INSERT INTO "Order" ("number", "userId", "amountCents") VALUES ('orphan', gen_random_uuid(), 1)`, `DELETE FROM "Order" WHERE "number" = 'orphan'`),
    says: /1 orphan behind Order_userId_fkey/,
  },
  {
    check: "database.constraints-validated",
    what: "a constraint left NOT VALID",
    plant: sql('ALTER TABLE "Donation" ADD CONSTRAINT lazy FOREIGN KEY ("userId") REFERENCES "User" ("id") NOT VALID', 'ALTER TABLE "Donation" DROP CONSTRAINT lazy'),
    says: /lazy of/,
  },
  { check: "database.indexes-valid", what: "an invalid index", plant: sql(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = '"User_role_idx"'::regclass`, `UPDATE pg_index SET indisvalid = true WHERE indexrelid = '"User_role_idx"'::regclass`), says: /"User_role_idx"/ },
  { check: "database.triggers-enabled", what: "triggers left disabled", plant: sql('ALTER TABLE "Order" DISABLE TRIGGER ALL', 'ALTER TABLE "Order" ENABLE TRIGGER ALL'), says: /Disabled: .*"Order"/ },
  {
    check: "database.sequences-ahead",
    what: "a sequence behind its column",
    plant: sql(`INSERT INTO "Donation" ("id", "amountCents") OVERRIDING SYSTEM VALUE VALUES (900, 1)`, `DELETE FROM "Donation" WHERE "id" = 900`),
    says: /"Donation_id_seq"/,
  },
  { check: "database.rule-email-shape", what: "a rule of the workload is broken", plant: sql(`INSERT INTO "User" ("email") VALUES ('nobody')`, `DELETE FROM "User" WHERE "email" = 'nobody'`), says: /\w/ },
  { check: "database.emails-masked", what: "an address in an email column", plant: sql(`INSERT INTO "User" ("email") VALUES ('Jane.Doe@Example.org')`, `DELETE FROM "User" WHERE "email" = 'Jane.Doe@Example.org'`), says: /1 rows of "User"\."email" hold another address/ },
  { check: "database.emails-masked", what: "an address in JSON", plant: sql(`INSERT INTO "User" ("email", "preferences") VALUES ('j@staging.local', '{"a":[{"b":"x@bücher.example"}]}')`, `DELETE FROM "User" WHERE "email" = 'j@staging.local'`), says: /"User"\."preferences"/ },
  { check: "database.emails-masked", what: "an address in free text", plant: sql(`INSERT INTO "User" ("email", "bio") VALUES ('j@staging.local', 'Fine: a@staging.local. Not fine: <b@staging.local.example.com>, or so')`, `DELETE FROM "User" WHERE "email" = 'j@staging.local'`), says: /"User"\."bio"/ },
  { check: "database.emails-masked", what: "an address in an array", plant: sql(`UPDATE "Story" SET "tags" = "tags" || 'me@example.net'::text`, `UPDATE "Story" SET "tags" = array_remove("tags", 'me@example.net')`), says: /"Story"\."tags"/ },
  { check: "database.app-no-ddl", what: "it may create tables", plant: sql("GRANT CREATE ON SCHEMA public TO staging_user", "REVOKE CREATE ON SCHEMA public FROM staging_user"), says: /can create a table in public/ },
  { check: "database.app-no-ddl", what: "it may create schemas", plant: sql("GRANT CREATE ON DATABASE staging_db TO staging_user", "REVOKE CREATE ON DATABASE staging_db FROM staging_user"), says: /can create a schema/ },
  { check: "database.app-no-ddl", what: "it owns a table", plant: sql('ALTER TABLE "Story" OWNER TO staging_user', 'ALTER TABLE "Story" OWNER TO staging_owner; GRANT SELECT, INSERT, UPDATE, DELETE ON "Story" TO staging_user'), says: /owns "Story"/ },
  { check: "database.app-no-ddl", what: "it is a member of the owner", plant: sql("GRANT staging_owner TO staging_user", "REVOKE staging_owner FROM staging_user"), says: /memberships/ },
  { check: "database.read-only-cannot-write", what: "it may delete", plant: sql('GRANT DELETE ON "Order" TO staging_readonly', 'REVOKE DELETE ON "Order" FROM staging_readonly'), says: /has DELETE on "Order"/ },
  { check: "database.read-only-cannot-write", what: "it is in pg_write_all_data", plant: sql("GRANT pg_write_all_data TO staging_readonly", "REVOKE pg_write_all_data FROM staging_readonly"), says: /has INSERT, UPDATE, DELETE on/ },

  { check: "security.https-redirect", what: "HTTP answers itself", plant: (world) => void (world.faults.redirect = (answer) => ({ ...answer, status: 200 })), says: /answered 200, not 301 or 308/ },
  { check: "security.https-redirect", what: "for now only", plant: (world) => void (world.faults.redirect = (answer) => ({ ...answer, status: 302 })), says: /answered 302/ },
  { check: "security.https-redirect", what: "the path is lost", plant: (world) => void (world.faults.redirect = (answer) => ({ ...answer, headers: { location: world.target.httpsUrl } })), says: /leads to https.*, not to/ },
  {
    check: "security.tls-versions",
    what: "TLS 1.0 and 1.1 are spoken",
    plant: async (world) => {
      const { url, stop } = await world.startTls({ minVersion: "TLSv1" });
      world.target.httpsUrl = url;
      return stop;
    },
    says: /TLSv1 was accepted\nTLSv1\.1 was accepted/,
  },
  {
    check: "security.tls-versions",
    what: "TLS 1.1 is spoken, and nothing newer",
    plant: async (world) => {
      const { url, stop } = await world.startTls({ minVersion: "TLSv1.1", maxVersion: "TLSv1.1" });
      world.target.httpsUrl = url;
      return stop;
    },
    says: /TLSv1\.1 was accepted\nneither TLSv1\.2 nor TLSv1\.3/,
  },
  {
    check: "security.tls-versions",
    what: "nobody listens: not refused, but not looked at",
    plant: (world) => {
      world.target.httpsUrl = "https://127.0.0.1:1";
      return undefined;
    },
    says: /ECONNREFUSED/,
    status: "errored",
  },
  { check: "security.hsts", what: "missing", plant: withHeader("strict-transport-security", undefined), says: /is missing/ },
  { check: "security.hsts", what: "for a minute", plant: withHeader("strict-transport-security", "max-age=60"), says: /max-age 60/ },
  { check: "security.nosniff", what: "missing", plant: withHeader("x-content-type-options", undefined), says: /is missing/ },
  { check: "security.nosniff", what: "missing on errors only", plant: onProxy((answer) => (answer.status === 404 ? { ...answer, headers: { ...answer.headers, "x-content-type-options": "" } } : answer)), says: /\(404\)/ },
  { check: "security.frame-options", what: "allows another site", plant: withHeader("x-frame-options", "ALLOW-FROM https://example.org"), says: /ALLOW-FROM/ },
  { check: "security.referrer-policy", what: "unsafe", plant: withHeader("referrer-policy", "unsafe-url"), says: /unsafe-url/ },
  { check: "security.content-security-policy", what: "missing", plant: withHeader("content-security-policy", undefined), says: /is missing/ },
  { check: "security.content-security-policy", what: "allows inline scripts", plant: withHeader("content-security-policy", "default-src 'self' 'unsafe-inline'"), says: /'unsafe-inline'/ },
  { check: "security.content-security-policy", what: "limits no scripts", plant: withHeader("content-security-policy", "img-src 'self'"), says: /neither script-src nor default-src/ },
  { check: "security.noindex", what: "robots may index", plant: withHeader("x-robots-tag", "nofollow"), says: /is "nofollow"/ },
  { check: "security.environment-header", what: "says production", plant: withHeader("x-environment", "PRODUCTION"), says: /PRODUCTION/ },
  { check: "security.server-version-hidden", what: "nginx tells its version", plant: withHeader("server", "nginx/1.22.1"), says: /nginx\/1\.22\.1/ },
  { check: "security.framework-hidden", what: "the framework is named", plant: withHeader("x-powered-by", "Next.js"), says: /Next\.js/ },
  {
    check: "security.cookie-flags",
    what: "no attribute at all",
    plant: onProxy((answer) => {
      const cookie = answer.headers["set-cookie"];
      return cookie === undefined ? answer : { ...answer, headers: { ...answer.headers, "set-cookie": [String(cookie).split(";")[0] ?? ""] } };
    }),
    says: /HttpOnly is missing\n.*Secure is missing\n.*SameSite/,
  },
  { check: "security.protected-routes", what: "open to everybody", plant: onProxy((answer, path) => (path === "/api/orders" ? { ...answer, status: 200 } : answer)), says: /\/api\/orders answered 200 without a session\n\/api\/orders answered 200 with a forged/ },
  {
    check: "security.secret-files",
    what: "the group may read one",
    plant: async (world) => {
      await chmod(join(world.folder, "secret"), 0o640);
      return () => chmod(join(world.folder, "secret"), 0o600);
    },
    says: /has mode 0640/,
  },
  { check: "security.secret-files", what: "one is gone", plant: changedService({ secretFiles: ["/nowhere/secret"] }), says: /ENOENT/, status: "errored" },
  {
    check: "security.postgres-password",
    what: "trust",
    plant: (world) => trusting(world),
    says: /was let in with a wrong password/,
  },
  { check: "security.postgres-authentication", what: "trust", plant: (world) => trusting(world), says: /line 1 of pg_hba\.conf: host by trust/ },
  {
    check: "security.redis-password",
    what: "it has no password",
    plant: async (world) => {
      const { password, port } = world.target.redis;
      const client = createClient({ password, socket: { host: "127.0.0.1", port } });
      await client.connect();
      await client.configSet("requirepass", "");
      return async () => {
        await client.configSet("requirepass", password);
        client.destroy();
      };
    },
    says: /it answered without a password/,
  },
  {
    check: "security.process-arguments",
    what: "a password in argv",
    plant: async (world) => {
      const child = spawn("sleep", ["60"], { argv0: `client-${world.app.staging.passwords.owner}` });
      await new Promise((resolve) => child.once("spawn", resolve));
      return async () => child.kill();
    },
    says: /shows the database password of owner/,
  },
  { check: "security.access-log", what: "nginx's own format", plant: (world) => void (world.faults.logLine = (line) => line.replace(" [STAGING]", " -")), says: /another format/ },
  { check: "security.access-log", what: "nothing is written", plant: (world) => void (world.faults.logLine = () => ""), says: /never appeared/ },

  { check: "performance.page-load", what: "a page's stylesheet is broken", plant: onProxy((answer, path) => (path.startsWith("/static/app.css") ? { ...answer, status: 404 } : answer)), says: /\/static\/app\.css answered 404/ },
  { check: "performance.sequential-requests", what: "answers that are errors", plant: onProxy((answer, path) => (path === "/stories" ? { ...answer, status: 503 } : answer)), says: /20 of 20 answers were 503/ },
  {
    check: "performance.concurrent-requests",
    what: "some are turned away",
    plant: (world) => {
      let count = 0;
      world.faults.proxy = (answer) => ((count += 1) % 10 === 0 ? { ...answer, status: 429 } : answer);
      return undefined;
    },
    says: /5 of 50 answers were 429/,
  },
  { check: "performance.memory", what: "a service has grown", plant: withState({ rssBytes: 4 * 1024 ** 3 }), says: /together they hold 4\d{3} MB/ },

  {
    check: "integration.app-database",
    what: "what was written does not stay",
    plant: sql(
      `CREATE FUNCTION vanish() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM "Order" WHERE "id" = NEW."id"; RETURN NULL; END $$;
       CREATE TRIGGER vanish AFTER INSERT ON "Order" FOR EACH ROW EXECUTE FUNCTION vanish()`,
      `DROP TRIGGER vanish ON "Order"; DROP FUNCTION vanish()`,
    ),
    says: /nothing of it is in the database/,
  },
  {
    check: "integration.app-database",
    what: "it cannot be taken back",
    plant: sql(
      `CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
       CREATE TRIGGER keep BEFORE DELETE ON "Order" FOR EACH ROW EXECUTE FUNCTION keep()`,
      `DROP TRIGGER keep ON "Order"; DROP FUNCTION keep(); DELETE FROM "Order" WHERE "number" LIKE 'ORD-%'`,
    ),
    says: /could not be taken back/,
  },
  { check: "integration.app-database", what: "the write is refused", plant: onProxy((answer, path) => (path === "/api/orders" ? { ...answer, status: 503 } : answer)), says: /answered 503, not 201/ },
  {
    check: "integration.app-redis",
    what: "sessions are not in this Redis",
    plant: (world) => {
      world.faults.proxy = (answer, path) => {
        const cookie = answer.headers["set-cookie"];
        return path === "/api/auth/sign-in" && cookie !== undefined ? { ...answer, headers: { ...answer.headers, "set-cookie": [String(cookie).replace("session=", "session=x")] } } : answer;
      };
      return undefined;
    },
    says: /is not in Redis/,
  },
  { check: "integration.proxy-app", what: "the proxy answers itself", plant: (world) => void (world.faults.logLine = (line) => line.replace(/ \d+\.\d{3} "/, ' - "')), says: /answered by the proxy itself/ },
  { check: "integration.proxy-app", what: "another application behind it", plant: onProxy((answer, path) => (path === "/api/health" ? { ...answer, body: "{}" } : answer)), says: /names 0 components through the proxy/ },
  { check: "integration.exporters", what: "an exporter cannot reach its service", plant: onMonitoring("/api/v1/query", { status: "success", data: { resultType: "vector", result: [{ metric: {}, value: [1, "0"] }] } }), says: /pg_up is 0/ },
  { check: "integration.exporters", what: "nothing is measured", plant: onMonitoring("/api/v1/query", { status: "success", data: { resultType: "vector", result: [] } }), says: /yields nothing/ },
  { check: "integration.migration-log", what: "the application may not read it", plant: sql("REVOKE SELECT ON staging_migrations.role_migration_log FROM staging_user", "GRANT SELECT ON staging_migrations.role_migration_log TO staging_user"), says: /app: permission denied/ },
  { check: "integration.migration-log", what: "a column is gone", plant: sql("ALTER TABLE staging_migrations.role_migration_log RENAME old_role TO was", "ALTER TABLE staging_migrations.role_migration_log RENAME was TO old_role"), says: /old_role/ },
];

/** Faults whose bound the workload sets: it is set where the healthy stack misses it. */
const tightened: readonly { check: string; what: string; says: RegExp; change(document: Record<string, Record<string, unknown>>): void }[] = [
  { check: "infrastructure.disk-space", what: "less room than asked for", says: /less than 999999999 MB/, change: (document) => void (document["disk"] = { minimumFreeMb: 999_999_999 }) },
  { check: "performance.page-load", what: "slower than the bound", says: /not under 1 ms/, change: (document) => void (document["performance"] = { ...document["performance"], pageLoadMs: 1 }) },
  { check: "performance.sequential-requests", what: "p95 over the bound", says: /p95 is \d+ ms, not under 1 ms/, change: (document) => void (document["performance"] = { ...document["performance"], p95Ms: 1 }) },
  { check: "performance.concurrent-requests", what: "p95 over the bound", says: /p95 is \d+ ms, not under 1 ms/, change: (document) => void (document["performance"] = { ...document["performance"], p95Ms: 1 }) },
  { check: "database.standard-queries", what: "a slow query", says: /slow takes 1\d\d(\.\d+)? ms, not under 100 ms/, change: (document) => void (document["database"] = { ...document["database"], queries: [{ name: "slow", sql: "SELECT pg_sleep(0.12)" }] }) },
];

async function trusting(world: World): Promise<Undo> {
  const file = join(world.app.postgres.folder, "data/pg_hba.conf");
  const original = await readFile(file, "utf8");
  await writeFile(file, `host all all 127.0.0.1/32 trust\n${original}`);
  await world.app.sql("SELECT pg_reload_conf()");
  await new Promise((resolve) => setTimeout(resolve, 300));
  return async () => {
    await writeFile(file, original);
    await world.app.sql("SELECT pg_reload_conf()");
    await new Promise((resolve) => setTimeout(resolve, 300));
  };
}

const found: string[] = [];
const missed: string[] = [];

function record(what: string, result: CheckResult | undefined, status: string, says: RegExp): void {
  const matches = result?.status === status && says.test(result.evidence);
  (matches ? found : missed).push(what);
  expect({ status: result?.status, evidence: result?.evidence }).toEqual({ status, evidence: expect.stringMatching(says) });
  expect(result?.remedy, "a remedy").toMatch(/\w/);
}

describe.sequential("validation", () => {
  it.each(faults)("$check finds: $what", async ({ check, what, plant, says, status = "failed" }) => {
    const undo = await plant(world);
    try {
      record(`${check}: ${what}`, (await validate([check]))[0], status, says);
    } finally {
      await undo?.();
    }
  });

  it.each(tightened)("$check finds: $what", async ({ check, what, says, change }) => {
    record(`${check}: ${what}`, (await validate([check], await asking(change)))[0], "failed", says);
  });

  it("plants at least one fault for every check", async () => {
    const planted = new Set([...faults, ...tightened].map(({ check }) => check));
    const catalogue = catalogueOf(await loadRequirements(world.workload), await loadIntegrityRules(world.workload), world.target);
    // The workload's rules have planted faults of their own, where they are written.
    const untried = catalogue.map(({ id }) => id).filter((id) => !planted.has(id) && !id.startsWith("database.rule-"));
    expect(untried).toEqual([]);
  });

  it("is silent on the healthy stack, and shows no secret anywhere", async () => {
    const checks = await validate();
    const alarms = checks.filter(({ status }) => status !== "passed");
    console.log(`found ${found.length} / planted ${faults.length + tightened.length}, false alarms ${alarms.length}`);
    expect(alarms.map(({ id, status, evidence }) => `${id} ${status}: ${evidence}`)).toEqual([]);
    expect(missed).toEqual([]);
    const written = await Promise.all((await readdir(reports)).map((name) => readFile(join(reports, name), "utf8")));
    const secrets = [...Object.values(world.app.staging.passwords), world.app.password, world.app.redis.password, "another-password", "source-password"];
    expect(secrets.filter((secret) => written.some((text) => text.includes(secret)))).toEqual([]);
  });
});
