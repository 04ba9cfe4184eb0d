import { hash, randomBytes } from "node:crypto";
import { assert, constantFrom, array, property, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { foreignEmails, LeakIndex, probeDigits } from "../../../engine/copy/leakIndex.ts";
import { emailsOf, longNumbersOf, mostTokens, tokensOf } from "../../../engine/copy/tokens.ts";

const key = randomBytes(32);
const keyed = (text: string): string => hash("sha256", Buffer.concat([key, Buffer.from(text), key]), "hex").slice(0, probeDigits);

function indexOf(...originals: string[]): LeakIndex {
  const index = new LeakIndex(key);
  for (const original of originals) {
    const tokens = tokensOf(original).slice(0, mostTokens);
    const digits = /^[0-9 ().+/-]+$/.test(original) ? original.replaceAll(/\D/g, "") : "";
    index.add(
      { words: keyed(tokens.join(" ")), firstWord: keyed(tokens[0] ?? ""), firstWordBytes: Buffer.byteLength(tokens[0] ?? ""), wordCount: tokens.length, number: digits.length >= 7 ? keyed(digits) : null },
      `column of ${original}`,
    );
  }
  return index;
}

describe("LeakIndex", () => {
  const name = "Łucja de la Cruz";

  test.each([
    ["as it is", name],
    ["in other ASCII letters", "ŁUCJA DE LA CRUZ"],
    ["between other words", `Ask for ${name}, please`],
    ["between other signs", `<b>${name}</b>`],
    ["in JSON", JSON.stringify({ to: [name] })],
    ["in an array", `{"${name}",x}`],
  ])("finds an original %s", (_, text) => {
    expect([...indexOf(name).originsIn(text)]).toEqual([`column of ${name}`]);
  });

  test("finds a long original by its first words, and a number however it is written", () => {
    const long = "one two three four five six seven eight nine";
    expect(indexOf(long).originsIn(`so: ${long}`).size).toBe(1);
    expect(indexOf("+351 912 345 678").originsIn("call 351-912-345-678 now").size).toBe(1);
    expect(indexOf("+351 912 345 678").originsIn("call 351-912-345-679 now").size).toBe(0);
  });

  test("is silent about parts and about other words", () => {
    expect(indexOf(name).originsIn("Łucja de la Mare, la Cruz").size).toBe(0);
    const word = constantFrom("alvera", "bonem", "cadir", "de", "la", "7", "ok");
    const index = indexOf(name, "+351 912 345 678");
    assert(
      property(array(word, { maxLength: 30 }), (words) => {
        expect(index.originsIn(words.join(" ")).size).toBe(0);
      }),
    );
  });
});

describe("emails", () => {
  test.each([
    ["mail me: a.b+c@example.org.", ["a.b+c@example.org"]],
    ['{"x": "é@bücher.example"}', ["é@bücher.example"]],
    ["<user-1@staging.local>,other@mail.test", ["user-1@staging.local", "other@mail.test"]],
    ["@handle, a@ b, @, a@b, 5 @ 3.2", []],
  ])("in %j are found", (text, expected) => {
    expect(emailsOf(text)).toEqual(expected);
  });

  test("of another domain count, staging's own do not, not even in capitals", () => {
    expect(foreignEmails("user-1@staging.local USER@STAGING.LOCAL")).toBe(0);
    expect(foreignEmails("a@staging.local.example.org b@notstaging.local")).toBe(2);
  });

  test("a long text without end costs no more than its length", () => {
    const started = performance.now();
    expect(emailsOf("x".repeat(2_000_000))).toEqual([]);
    expect(emailsOf("@".repeat(100_000))).toEqual([]);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test("every address with a dotted domain is found between any words", () => {
    const part = string({ unit: constantFrom("a", "b", "1", "-", "_"), minLength: 1, maxLength: 8 });
    assert(
      property(part, part, (user, host) => {
        expect(emailsOf(`so ${user}@${host}.example, yes`)).toEqual([`${user}@${host}.example`]);
      }),
    );
  });
});

describe("longNumbersOf", () => {
  test("reads telephone numbers, not years or prices", () => {
    expect(longNumbersOf("in 2024 for 12.50: +1 (202) 555-0173")).toEqual(["12025550173"]);
  });
});
