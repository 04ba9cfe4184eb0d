import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startStoriesApp, type TestStoriesApp } from "../../support/storiesApp.ts";

let app: TestStoriesApp;
beforeAll(async () => {
  app = await startStoriesApp();
});
afterAll(() => app.stop());

const json = async (path: string, options?: RequestInit): Promise<{ status: number; body: Record<string, unknown> }> => {
  const answer = await app.fetch(path, options);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};
const text = async (path: string, options?: RequestInit): Promise<string> => (await app.fetch(path, options)).text();
const post = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});
const form = (fields: Record<string, string>, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { accept: "text/html", ...headers },
  body: new URLSearchParams(fields),
});

describe("health", () => {
  test("tells the state of each component, the flags and no secret", async () => {
    const { status, body } = await json("/api/health");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: "healthy",
      environment: "staging",
      version: "0.1.0",
      flags: { roleMigrationMode: true, universalDashboard: true, roleSelectionDisabled: true },
      components: { database: { status: "healthy" }, cache: { status: "healthy" }, app: { status: "healthy" } },
    });
    for (const component of Object.values(body["components"] as Record<string, { latencyMs: number }>)) {
      expect(component.latencyMs).toBeGreaterThanOrEqual(0);
      expect(component.latencyMs).toBeLessThan(1_000);
    }
  });

  test("a start costs well under a second of processor time, however busy the machine is", async () => {
    const instance = await app.startInstance();
    const [, after = ""] = readFileSync(`/proc/${instance.child.process.pid}/stat`, "utf8").split(") ");
    const fields = after.split(" ");
    // utime and stime, in ticks of 10 ms, since the process began.
    expect((Number(fields[11]) + Number(fields[12])) * 10).toBeLessThan(1_000);
    expect(Number(fields[11])).toBeGreaterThan(0);
    await instance.child.stop();
  });
});

describe("stories", () => {
  test("the API lists what is published, by pages and by tag", async () => {
    const all = await json("/api/stories");
    expect(all.body).toMatchObject({ page: 1, limit: 12, total: 3, pages: 1 });
    expect((all.body["data"] as { slug: string }[]).map(({ slug }) => slug)).toEqual(["story-3", "story-2", "story-1"]);
    const second = await json("/api/stories?limit=2&page=2");
    expect(second.body).toMatchObject({ total: 3, pages: 2, data: [{ slug: "story-1", priceCents: 250, author: "Author Person" }] });
    expect((await json("/api/stories?tag=adventure")).body).toMatchObject({ total: 1 });
    expect((await json("/api/stories?limit=1000")).status).toBe(400);
    expect((await json("/api/stories/story-1")).body).toMatchObject({ slug: "story-1", tags: ["bedtime", "adventure"] });
    expect((await json("/api/stories/story-4")).status).toBe(404);
  });

  test("pages show them, escaped", async () => {
    for (const path of ["/", "/stories", "/stories/story-1"]) {
      const page = await text(path);
      expect(page).toContain("The &lt;Lantern&gt; 1");
      expect(page).not.toContain("<Lantern>");
      expect(page).toMatch(/href="\/static\/app\.css\?v=[0-9a-f]{12}"/);
    }
    expect(await text("/stories")).not.toContain("Lantern&gt; 4");
  });

  test("what is not there is a page for people and JSON for programs", async () => {
    const page = await app.fetch("/stories/none");
    expect([page.status, page.headers.get("content-type")]).toEqual([404, "text/html; charset=utf-8"]);
    expect(await page.text()).toContain("<h1>Nothing here</h1>");
    expect(await json("/api/none")).toMatchObject({ status: 404, body: { error: { status: 404, code: "not_found" } } });
  });

  test("assets are served to people who reach the app directly", async () => {
    const css = await app.fetch("/static/app.css");
    expect([css.status, css.headers.get("content-type")]).toEqual([200, "text/css; charset=utf-8"]);
    expect((await app.fetch("/static/..%2fapp.mjs")).status).toBe(404);
  });
});

describe("signing in", () => {
  test("by JSON: a cookie that scripts and other sites do not get, a session in Redis, gone after signing out", async () => {
    const answer = await app.fetch("/api/auth/sign-in", post({ email: "customer@staging.local", password: app.password }));
    expect(answer.status).toBe(200);
    const [cookie = ""] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^__Host-stories-session=[^;]+; Max-Age=28800; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    const headers = { cookie: cookie.split(";")[0] ?? "" };
    expect(await json("/api/me", { headers })).toMatchObject({
      status: 200,
      body: { email: "customer@staging.local", role: "CUSTOMER", effectiveRole: "CUSTOMER", dashboard: "universal" },
    });
    expect((await app.fetch("/api/auth/sign-out", { method: "POST", headers })).status).toBe(204);
    expect((await json("/api/me", { headers })).status).toBe(401);
  });

  test("by form: to the page that was asked for, never to another site", async () => {
    const sign = (next: string) => app.fetch("/api/auth/sign-in", form({ email: "customer@staging.local", password: app.password, next }));
    const locations = [];
    for (const next of ["/orders?x=1", "https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]) {
      const answer = await sign(next);
      expect(answer.status).toBe(303);
      locations.push(answer.headers.get("location"));
    }
    expect(locations).toEqual(["/orders?x=1", "/dashboard", "/dashboard", "/dashboard", "/dashboard"]);
  });

  test("a wrong password and an unknown email get the same answer", async () => {
    const wrong = await json("/api/auth/sign-in", post({ email: "customer@staging.local", password: "wrong-password" }));
    const unknown = await json("/api/auth/sign-in", post({ email: "nobody@staging.local", password: app.password }));
    expect(wrong).toEqual(unknown);
    expect(wrong).toMatchObject({ status: 401, body: { error: { code: "sign_in_refused" } } });
    const page = await app.fetch("/api/auth/sign-in", form({ email: "a@b", password: "wrong-password" }));
    expect(page.status).toBe(401);
    expect(await page.text()).toContain("That did not match");
    expect((await json("/api/auth/sign-in", post({}))).status).toBe(400);
  });

  test("takes an email in other case and with blanks around, as old data has them", async () => {
    const cookie = await app.signIn("mixed.case@staging.local");
    expect((await json("/api/me", { headers: { cookie } })).body).toMatchObject({ email: " Mixed.Case@Staging.local ", name: "Mixed.Case" });
  });

  test("a forged cookie is nobody's, and another site cannot post", async () => {
    const cookie = await app.signIn("customer@staging.local");
    expect((await json("/api/me", { headers: { cookie: `${cookie.slice(0, -3)}abc` } })).status).toBe(401);
    const cross = await json("/api/orders", post({ storySlug: "story-1" }, { cookie, origin: "https://evil.example" }));
    expect(cross).toMatchObject({ status: 403, body: { error: { code: "cross_site" } } });
    const own = await json("/api/orders", post({ storySlug: "story-1" }, { cookie, origin: "https://localhost:8080" }));
    expect(own.status).toBe(201);
  });
});

describe("orders", () => {
  test("an order is a row, at the story's price; people see their own only", async () => {
    const cookie = await app.signIn("teacher@staging.local");
    const placed = await json("/api/orders", post({ storySlug: "story-2", copies: 3 }, { cookie }));
    expect(placed).toMatchObject({ status: 201, body: { amountCents: 1_500, status: "PENDING", storySlug: "story-2", currency: "EUR" } });
    const number = String(placed.body["number"]);
    expect(number).toMatch(/^ORD-\d{8}-[2-9A-Z]{8}$/);
    expect(
      await app.sql(`SELECT u."email", o."amountCents" FROM "Order" o JOIN "User" u ON u."id" = o."userId" WHERE "number" = $1`, [number]),
    ).toEqual([{ email: "teacher@staging.local", amountCents: 1_500 }]);
    expect((await json("/api/orders", { headers: { cookie } })).body).toMatchObject({ data: [{ number }] });
    const other = await app.signIn("author@staging.local");
    expect((await json("/api/orders", { headers: { cookie: other } })).body).toEqual({ data: [] });
  });

  test("by form: to the list, with a word of thanks", async () => {
    const cookie = await app.signIn("volunteer@staging.local");
    const answer = await app.fetch("/api/orders", form({ storySlug: "story-1", copies: "1" }, { cookie }));
    expect(answer.status).toBe(303);
    const page = await text(answer.headers.get("location") ?? "", { headers: { cookie } });
    expect(page).toContain("Thank you. Your order ORD-");
    expect(await text("/orders?placed=<script>", { headers: { cookie } })).not.toContain("Thank you");
  });

  test("what cannot be ordered is not, and nobody orders without signing in", async () => {
    const cookie = await app.signIn("volunteer@staging.local");
    const before = await app.sql(`SELECT count(*) FROM "Order"`);
    expect((await json("/api/orders", post({ storySlug: "story-4" }, { cookie }))).status).toBe(404);
    expect((await json("/api/orders", post({ storySlug: "story-1", copies: 21 }, { cookie }))).status).toBe(400);
    expect((await json("/api/orders", post({ storySlug: "story-1" }))).status).toBe(401);
    const page = await app.fetch("/orders");
    expect([page.status, page.headers.get("location")]).toEqual([303, "/sign-in?next=%2Forders"]);
    expect(await app.sql(`SELECT count(*) FROM "Order"`)).toEqual(before);
  });
});

describe("roles", () => {
  test("universal dashboard: one for every role", async () => {
    for (const email of ["learner", "customer", "teacher", "author", "volunteer", "institution", "admin"]) {
      const cookie = await app.signIn(`${email}@staging.local`);
      expect(await text("/dashboard", { headers: { cookie } })).toContain('data-dashboard="universal"');
    }
    expect((await app.fetch("/choose-role", { headers: { cookie: await app.signIn("learner@staging.local") } })).status).toBe(404);
  });

  test("a dashboard by role, a LEARNER being a CUSTOMER while the migration is on", async () => {
    const migrating = await app.startInstance({ ENABLE_UNIVERSAL_DASHBOARD: "false", DISABLE_ROLE_SELECTION: "false" });
    const before = await app.startInstance({ ENABLE_UNIVERSAL_DASHBOARD: "false", DISABLE_ROLE_SELECTION: "false", ROLE_MIGRATION_MODE: "false" });
    try {
      const dashboard = async (port: number, email: string): Promise<string | undefined> => {
        const cookie = await app.signIn(email);
        const page = await fetch(`http://127.0.0.1:${port}/dashboard`, { headers: { cookie } });
        return /data-dashboard="(\w+)"/.exec(await page.text())?.[1];
      };
      const kinds: Record<string, (string | undefined)[]> = {};
      for (const role of ["learner", "customer", "teacher", "author", "volunteer", "institution", "admin"]) {
        kinds[role] = [await dashboard(before.port, `${role}@staging.local`), await dashboard(migrating.port, `${role}@staging.local`)];
      }
      expect(kinds).toEqual({
        learner: ["learner", "customer"], customer: ["customer", "customer"], teacher: ["teacher", "teacher"], author: ["author", "author"],
        volunteer: ["volunteer", "volunteer"], institution: ["institution", "institution"], admin: ["admin", "admin"],
      });

      const cookie = await app.signIn("rtl@staging.local");
      const choose = async (port: number, role: string): Promise<number> =>
        (await fetch(`http://127.0.0.1:${port}/api/role`, post({ role }, { cookie }))).status;
      expect(await choose(migrating.port, "LEARNER")).toBe(404);
      expect(await choose(migrating.port, "ADMIN")).toBe(404);
      expect(await choose(migrating.port, "TEACHER")).toBe(200);
      expect(await app.sql(`SELECT "role" FROM "User" WHERE "email" = 'rtl@staging.local'`)).toEqual([{ role: "TEACHER" }]);
      expect(await choose(before.port, "LEARNER")).toBe(200);
      const page = await (await fetch(`http://127.0.0.1:${before.port}/choose-role`, { headers: { cookie } })).text();
      expect(page).toContain("محمد &lt;b&gt;");
      expect(page.match(/type="radio"/g)).toHaveLength(4);
    } finally {
      await Promise.all([migrating.child.stop(), before.child.stop()]);
    }
  });
});

describe("metrics", () => {
  const metrics = async (): Promise<Map<string, number>> => {
    const lines = (await text("/metrics")).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]));
  };

  test("requests by route, components, pool, and the role migration as it goes on", async () => {
    await app.fetch("/stories/story-1");
    await app.fetch("/api/stories/none");
    const before = await metrics();
    expect(before.get('http_request_duration_seconds_count{method="GET",route="/stories/:slug",status="200"}')).toBeGreaterThan(0);
    expect(before.get('http_request_duration_seconds_count{method="GET",route="/api/stories/:slug",status="404"}')).toBeGreaterThan(0);
    expect(before.get('app_component_up{component="database"}')).toBe(1);
    expect(before.get('app_component_up{component="cache"}')).toBe(1);
    expect(before.get("app_database_pool_size")).toBe(10);
    expect(before.get('app_cache_operations_total{operation="set",result="ok"}')).toBeGreaterThan(0);
    expect(before.get('app_info{version="0.1.0",environment="staging"}')).toBe(1);
    expect(before.get("role_migration_mode")).toBe(1);
    expect(before.get("role_migration_metrics_up")).toBe(1);
    const learners = before.get("role_migration_learners_left") ?? 0;
    expect(learners).toBeGreaterThan(0);
    expect(before.get("role_migration_log_rows")).toBe(0);

    await app.sql(`
      WITH moved AS (UPDATE "User" SET "role" = 'CUSTOMER' WHERE "role" = 'LEARNER' RETURNING "id")
      INSERT INTO staging_migrations.role_migration_log (migration, user_id, old_role, new_role) SELECT 'test', "id", 'LEARNER', 'CUSTOMER' FROM moved`);
    await expect.poll(async () => (await metrics()).get("role_migration_learners_left"), { timeout: 10_000 }).toBe(0);
    const after = await metrics();
    expect(after.get("role_migration_log_rows")).toBe(learners);
    expect(after.get('role_migration_users{role="LEARNER"}')).toBe(0);
    expect(after.get("role_migration_last_timestamp_seconds")).toBeGreaterThan(Date.now() / 1000 - 60);
  });
});

test("no log line holds a secret, an email or a cookie", async () => {
  await app.fetch("/api/auth/sign-in", post({ email: "looked.for@staging.local", password: app.password }));
  const output = app.child().output();
  expect(output).toContain('"route":"/api/auth/sign-in"');
  for (const secret of [app.password, app.sessionSecret, app.redis.password, app.staging.passwords.app, "looked.for", "__Host-stories"]) {
    expect(output).not.toContain(secret);
  }
});
