import { assert as check, property, string } from "fast-check";
import { expect, test } from "vitest";
import { redact, secretsOf } from "../../engine/redact.ts";

test("no form of a secret survives", () => {
  check(
    property(string({ minLength: 6, maxLength: 40 }), string({ maxLength: 20 }), (secret, around) => {
      const forms = [secret, encodeURIComponent(secret.toWellFormed()), JSON.stringify(secret).slice(1, -1), Buffer.from(secret).toString("base64")];
      for (const form of forms) expect(redact(`<${around}|${form}|>`, [secret])).toContain("•••");
    }),
  );
});

test("passwords in URLs go, known or not; the rest stays", () => {
  expect(redact("cannot open postgresql://app:p4ss%20w@db:5432/x: refused")).toBe("cannot open postgresql://app:•••@db:5432/x: refused");
  expect(redact("redis://:hunter2@h")).toBe("redis://:•••@h");
  expect(redact("https://localhost:8080/api/health at 10:30:15")).toBe("https://localhost:8080/api/health at 10:30:15");
});

test("the longer of two secrets goes whole", () => {
  expect(redact("token: abcdef-ghijkl", ["abcdef", "abcdef-ghijkl"])).toBe("token: •••");
});

test("words too short to be secrets leave the log readable", () => {
  expect(redact("true on 3001", ["true", "3001"])).toBe("true on 3001");
});

test("the secrets among environment variables", () => {
  const found = secretsOf({
    NODE_ENV: "staging", PORT: "3001", NEXTAUTH_URL: "https://localhost:8080", NEXTAUTH_SECRET: "s-1", REDIS_PASSWORD: "s-2",
    DATABASE_URL: "postgresql://staging_user:p%40ss@127.0.0.1:5434/staging_db", STRIPE_API_KEY: "s-3",
  });
  expect(found.toSorted()).toEqual(["p@ss", "postgresql://staging_user:p%40ss@127.0.0.1:5434/staging_db", "s-1", "s-2", "s-3"]);
});
