import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleApp } from "../../engine/process/bundle.ts";
import { connectionOf, stagingRoles, type StagingDatabase } from "../../engine/staging/database.ts";
import { prepareStaging } from "../../engine/staging/prepare.ts";
import { loadWorkload } from "../../engine/workload/manifest.ts";
import { startChild, type TestChild } from "./child.ts";
import { freePort } from "./ports.ts";
import { startPostgres, withClient, type TestServer } from "./postgres.ts";
import { startRedis, type TestRedis } from "./redis.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));

/** The reference app of workload `stories`, bundled, with a real PostgreSQL and a real Redis behind it. */
export interface TestStoriesApp {
  readonly postgres: TestServer;
  readonly staging: StagingDatabase;
  readonly redis: TestRedis;
  readonly port: number;
  readonly password: string;
  readonly sessionSecret: string;
  readonly folder: string;
  /** Milliseconds from the start of the process to its first answer. */
  readonly startupMs: number;
  environment(changes?: Readonly<Record<string, string>>): Record<string, string>;
  /** Starts one more instance on a free port. */
  startInstance(changes?: Readonly<Record<string, string>>): Promise<{ child: TestChild; port: number; startupMs: number }>;
  fetch(path: string, options?: RequestInit): Promise<Response>;
  /** Signs in and gives the cookie to send. */
  signIn(email: string): Promise<string>;
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  child(): TestChild;
  stop(): Promise<void>;
}

/** Users of every role, three published stories, one draft; what `sample` adds comes on top. */
export const sampleRows = `
  INSERT INTO "User" ("email", "name", "role", "schoolName")
  SELECT lower(role) || '@staging.local', initcap(role::text) || ' Person', role::"UserRole",
         CASE role WHEN 'TEACHER' THEN 'Lima Primary School' END
    FROM unnest(enum_range(NULL::"UserRole")::text[]) AS role;
  INSERT INTO "User" ("email", "name") VALUES (' Mixed.Case@Staging.local ', ''), ('rtl@staging.local', 'محمد <b>');
  INSERT INTO "Story" ("slug", "title", "body", "status", "authorId", "priceCents", "tags", "publishedAt")
  SELECT 'story-' || i, 'The <Lantern> ' || i, repeat('Once there was a lantern that no wind could put out. ', 60) || E'\\nIt rained.',
         CASE i WHEN 4 THEN 'DRAFT' ELSE 'PUBLISHED' END::"StoryStatus",
         (SELECT "id" FROM "User" WHERE "role" = 'AUTHOR'), i * 250, ARRAY['bedtime', CASE i WHEN 1 THEN 'adventure' ELSE 'fox' END],
         timestamptz '2024-03-01 12:00Z' + i * interval '1 day'
    FROM generate_series(1, 4) AS i;
  INSERT INTO "UserStory" ("userId", "storyId", "progress", "isFavorite", "lastReadAt")
  SELECT u."id", s."id", 40, true, now() FROM "User" u, "Story" s WHERE u."role" = 'LEARNER' AND s."slug" = 'story-1';`;

export async function startStoriesApp(): Promise<TestStoriesApp> {
  const folder = await mkdtemp(join(tmpdir(), "understudy-app-"));
  const [postgres, redis, port] = [await startPostgres(), await startRedis(), await freePort()];
  const staging: StagingDatabase = {
    host: postgres.host,
    port: postgres.port,
    database: "staging_db",
    passwords: { admin: postgres.adminPassword, owner: "owner-test-password", app: "app-test-password", readOnly: "reader-test-password" },
  };
  await prepareStaging({ staging, workload: await loadWorkload(join(project, "workloads/stories")), stack: "test" });
  await withClient(connectionOf(staging, "owner"), (client) => client.query(sampleRows));
  await bundleApp(join(project, "workloads/stories/app/server.ts"), join(folder, "app.mjs"));
  await cp(join(project, "workloads/stories/static"), join(folder, "static"), { recursive: true });

  const password = "shared-staging-password";
  const sessionSecret = "a-session-secret-of-at-least-32-characters";
  const environment = (changes: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    PATH: process.env["PATH"] ?? "",
    NODE_ENV: "staging",
    PORT: String(port),
    DATABASE_URL: `postgresql://${stagingRoles.app}:${staging.passwords.app}@127.0.0.1:${postgres.port}/${staging.database}`,
    REDIS_URL: redis.url,
    SESSION_SECRET: sessionSecret,
    STAGING_SIGN_IN_PASSWORD: password,
    NEXTAUTH_URL: "https://localhost:8080",
    ROLE_MIGRATION_MODE: "true",
    ENABLE_UNIVERSAL_DASHBOARD: "true",
    DISABLE_ROLE_SELECTION: "true",
    STATIC_FOLDER: join(folder, "static"),
    ...changes,
  });
  const startInstance: TestStoriesApp["startInstance"] = async (changes = {}) => {
    const own = await freePort();
    const started = performance.now();
    const child = startChild(join(project, "node_modules/.bin/node"), [join(folder, "app.mjs")], {
      cwd: folder,
      env: environment({ PORT: String(own), ...changes }),
    });
    await child.waitUntil(() => fetch(`http://127.0.0.1:${changes["PORT"] ?? own}/static/favicon.svg`));
    return { child, port: Number(changes["PORT"] ?? own), startupMs: performance.now() - started };
  };
  const main = await startInstance({ PORT: String(port) });
  const ask = (path: string, options: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual", ...options });
  return {
    postgres,
    staging,
    redis,
    port,
    password,
    sessionSecret,
    folder,
    startupMs: main.startupMs,
    environment,
    startInstance,
    fetch: ask,
    signIn: async (email) => {
      const answer = await ask("/api/auth/sign-in", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ email, password }),
      });
      const [cookie] = answer.headers.getSetCookie();
      if (answer.status !== 200 || cookie === undefined) throw new Error(`sign-in of ${email}: ${answer.status} ${await answer.text()}`);
      return cookie.split(";")[0] ?? "";
    },
    sql: (text, values = []) => withClient(connectionOf(staging, "admin"), async (client) => (await client.query(text, values)).rows),
    child: () => main.child,
    stop: async () => {
      await main.child.stop("SIGKILL");
      await Promise.all([postgres.stop("immediate"), redis.remove()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
