import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UnderstudyError } from "../../../engine/errors.ts";
import { dashboardOf, effectiveRole, roles, selectableRoles } from "../../../workloads/stories/app/roles.ts";
import { readSettings } from "../../../workloads/stories/app/settings.ts";

const good = {
  DATABASE_URL: "postgresql://u:database-secret@127.0.0.1:5434/staging_db",
  REDIS_URL: "redis://:cache-secret@127.0.0.1:6380",
  SESSION_SECRET: "0123456789abcdef0123456789abcdef",
  STAGING_SIGN_IN_PASSWORD: "sign-in-secret",
  NEXTAUTH_URL: "https://localhost:8080",
};

function problem(env: Record<string, string | undefined>): UnderstudyError {
  try {
    readSettings(env);
  } catch (error) {
    if (error instanceof UnderstudyError) return error;
  }
  throw new Error("no UnderstudyError");
}

describe("readSettings", () => {
  test("document 004's environment, and the defaults of the rest", () => {
    expect(
      readSettings({ ...good, NODE_ENV: "staging", ROLE_MIGRATION_MODE: "true", ENABLE_UNIVERSAL_DASHBOARD: "true", DISABLE_ROLE_SELECTION: "true" }),
    ).toMatchObject({
      environment: "staging",
      host: "127.0.0.1",
      port: 3001,
      flags: { roleMigrationMode: true, universalDashboard: true, roleSelectionDisabled: true },
    });
    expect(readSettings(good).flags).toEqual({ roleMigrationMode: false, universalDashboard: false, roleSelectionDisabled: false });
  });

  test("every wrong variable is named at once, no secret's value", () => {
    const error = problem({ ...good, PORT: "0", DATABASE_URL: "mysql://u:hidden@h/d", REDIS_URL: "", SESSION_SECRET: "short-one", DISABLE_ROLE_SELECTION: "perhaps", NEXTAUTH_URL: "here" });
    expect(error.exitCode).toBe(2);
    expect(error.message).toContain("6 wrong value(s)");
    for (const name of ["PORT", "DATABASE_URL", "REDIS_URL", "SESSION_SECRET", "DISABLE_ROLE_SELECTION", "NEXTAUTH_URL"]) expect(error.message).toContain(name);
    expect(error.message).not.toMatch(/hidden|short-one/);
  });

  test("a secret comes from its file when its variable is not set", () => {
    const folder = mkdtempSync(join(tmpdir(), "understudy-settings-"));
    try {
      const file = join(folder, "url");
      writeFileSync(file, "redis://:from-file@127.0.0.1:1\n");
      expect(readSettings({ ...good, REDIS_URL: undefined, REDIS_URL_FILE: file }).redisUrl).toBe("redis://:from-file@127.0.0.1:1");
      expect(readSettings({ ...good, REDIS_URL_FILE: file }).redisUrl).toBe(good.REDIS_URL);
      const error = problem({ ...good, REDIS_URL: undefined, REDIS_URL_FILE: join(folder, "none") });
      expect(error.message).toContain("1 wrong value(s): REDIS_URL_FILE: ENOENT");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("roles", () => {
  const flags = { roleMigrationMode: true, universalDashboard: false, roleSelectionDisabled: false };

  test("only a LEARNER changes while the migration is on", () => {
    expect(roles.map((role) => effectiveRole(role, flags))).toEqual(["CUSTOMER", ...roles.slice(1)]);
    expect(roles.map((role) => effectiveRole(role, { ...flags, roleMigrationMode: false }))).toEqual([...roles]);
  });

  test("the dashboard follows the role that counts, or is one for all", () => {
    expect(roles.map((role) => dashboardOf(role, flags))).toEqual(["customer", "customer", "teacher", "author", "volunteer", "institution", "admin"]);
    expect(new Set(roles.map((role) => dashboardOf(role, { ...flags, universalDashboard: true })))).toEqual(new Set(["universal"]));
  });

  test("nobody can make themselves an administrator, an institution or an author", () => {
    for (const roleMigrationMode of [true, false]) {
      for (const role of ["ADMIN", "INSTITUTION", "AUTHOR"]) expect(selectableRoles({ ...flags, roleMigrationMode })).not.toContain(role);
    }
    expect(selectableRoles(flags)).not.toContain("LEARNER");
    expect(selectableRoles({ ...flags, roleSelectionDisabled: true })).toEqual([]);
  });
});
