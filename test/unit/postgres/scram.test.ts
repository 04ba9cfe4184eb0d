import * as fc from "fast-check";
import { expect, test } from "vitest";
import { matchesVerifier, scramVerifier } from "../../../engine/postgres/scram.ts";

const password = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code)), minLength: 1, maxLength: 40 });

test("a verifier matches its password and no other, and does not contain it", () => {
  fc.assert(
    fc.property(password, password, (right, wrong) => {
      const verifier = scramVerifier(right);
      expect(matchesVerifier(right, verifier)).toBe(true);
      expect(matchesVerifier(wrong, verifier)).toBe(wrong === right);
      if (right.length > 12) expect(verifier).not.toContain(right);
    }),
    { numRuns: 20 },
  );
});

test("the verifier of RFC 7677's example", () => {
  const verifier = scramVerifier("pencil", Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"), 4096);
  expect(verifier).toBe(
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
  );
});

test("no password, another kind of verifier, and text that is not ASCII", () => {
  expect(matchesVerifier("x", null)).toBe(false);
  expect(matchesVerifier("x", "md5d41d8cd98f00b204e9800998ecf8427e")).toBe(false);
  expect(() => scramVerifier("pässword")).toThrow(/printable ASCII/);
  expect(() => scramVerifier("")).toThrow(/not empty/);
});
