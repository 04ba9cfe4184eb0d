import { describe, expect, it } from "vitest";
import { isLoopback } from "../../../workloads/architect/app/deliveries.ts";
import { ErrorRate } from "../../../workloads/architect/app/errorRate.ts";
import { fingerprintOf } from "../../../workloads/architect/app/errors.ts";
import { patternsOf } from "../../../workloads/architect/app/events.ts";
import { pageOf, readCursor } from "../../../workloads/architect/app/page.ts";
import { readSettings } from "../../../workloads/architect/app/settings.ts";

const environment = {
  DATABASE_URL: "postgresql://app:database-secret@127.0.0.1:5434/staging_db",
  REDIS_URL: "redis://:redis-secret@127.0.0.1:6380/0",
  SESSION_SECRET: "session-secret-of-at-least-32-characters",
  STAGING_SIGN_IN_PASSWORD: "sign-in-secret",
  NEXTAUTH_URL: "https://localhost:8080",
};

describe("settings", () => {
  it("have one Redis and no replica unless the stack has more", () => {
    expect(readSettings(environment)).toMatchObject({ replicaUrl: undefined, cache: { kind: "single", url: environment.REDIS_URL }, cacheTtlSeconds: 3_600, sessionSeconds: 3_600 });
    const large = readSettings({
      ...environment,
      DATABASE_REPLICA_URL: "postgresql://app:database-secret@127.0.0.1:5436/staging_db",
      REDIS_CLUSTER_NODES: "127.0.0.1:6380, 127.0.0.1:6381,127.0.0.1:6382",
      REDIS_PASSWORD: "redis-secret",
    });
    expect(large.replicaUrl).toContain(":5436/");
    expect(large.cache).toEqual({ kind: "cluster", nodes: ["127.0.0.1:6380", "127.0.0.1:6381", "127.0.0.1:6382"], password: "redis-secret" });
  });

  it("name every wrong variable at once, and the value of no secret", () => {
    const wrong = { ...environment, DATABASE_URL: "mysql://app:database-secret@x/y", REDIS_CLUSTER_NODES: "somewhere", SESSION_SECRET: "short-secret", PORT: "0", FEATURE_WEBHOOKS_ENABLED: "perhaps", DATABASE_REPLICA_URL_FILE: "/no/such/file" };
    let message = "";
    try {
      readSettings(wrong);
    } catch (error) {
      message = error instanceof Error ? error.message : "";
    }
    for (const name of ["DATABASE_URL", "REDIS_CLUSTER_NODES", "SESSION_SECRET", "PORT", "FEATURE_WEBHOOKS_ENABLED", "DATABASE_REPLICA_URL_FILE"]) expect(message).toContain(name);
    expect(message).toContain("6 wrong value(s)");
    expect(message).not.toMatch(/database-secret|short-secret/);
  });
});

describe("webhooks on staging", () => {
  it.each(["http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:9", "http://127.8.8.8/"])("lead to this machine: %s", (url) => {
    expect(isLoopback(url)).toBe(true);
  });

  it.each(["https://staging.local/x", "http://10.0.1.10/", "http://localhost.example.org", "http://127.0.0.1.nip.io/", "http://0.0.0.0/", "http://169.254.169.254/", "ftp://127.0.0.1", "nonsense", "http://user@evil.example:80/?127.0.0.1"])(
    "planted: lead elsewhere, and are never called: %s",
    (url) => {
      expect(isLoopback(url)).toBe(false);
    },
  );

  it("are told of a type by itself, by any of its kinds, or of everything", () => {
    expect(patternsOf("deployment.blue.finished")).toEqual(["deployment.blue.finished", "deployment.blue.*", "deployment.*", "*"]);
    expect(patternsOf("flag.changed")).toEqual(["flag.changed", "flag.*", "*"]);
  });
});

describe("errors", () => {
  it("are the same when they differ in numbers, ids and quoted words alone", () => {
    const first = fingerprintOf('timeout after 100 ms in "orders" for 0b1f5a9e-8f4e-4d50-9d4a-0f6f3c8d2a11\n  at line 3');
    expect(fingerprintOf('Timeout after 2500 ms in "users" for 7c9e6679-7425-40de-944b-e07fc1f90ae7\n  at line 99')).toBe(first);
    expect(fingerprintOf("timeout after 100 ms in orders")).not.toBe(first);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
  });

  it("count in the rate for a minute, and no longer", () => {
    let now = 1_000;
    const rate = new ErrorRate(() => now);
    expect(rate.share()).toBe(0);
    for (let request = 0; request < 10; request += 1) rate.note(request === 0);
    expect(rate.share()).toBe(0.1);
    now += 30;
    for (let request = 0; request < 10; request += 1) rate.note(false);
    expect(rate.share()).toBe(0.05);
    now += 30;
    expect(rate.share()).toBe(0);
    now += 1_000;
    rate.note(true);
    expect(rate.share()).toBe(1);
  });
});

describe("pages", () => {
  it("go on where the last one ended, to the microsecond, and end", () => {
    const rows = Array.from({ length: 4 }, (_, index) => ({ id: String(40 - index), position: `170000000000000${9 - index}` }));
    const page = pageOf(rows, 3, ({ id }) => id);
    expect(page.data).toEqual(["40", "39", "38"]);
    expect(readCursor(page.next ?? "")).toEqual({ microseconds: "1700000000000007", id: "38" });
    expect(pageOf(rows.slice(0, 3), 3, ({ id }) => id).next).toBeNull();
    expect(readCursor(undefined)).toBeUndefined();
  });

  it.each(["", "nonsense", Buffer.from("1;DROP TABLE.x").toString("base64url"), Buffer.from("12.").toString("base64url")])("planted: refuse a cursor that is none: %j", (cursor) => {
    expect(() => readCursor(cursor)).toThrow("cursor: must be one that a page has given");
  });
});
