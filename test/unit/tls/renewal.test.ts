import { describe, expect, it } from "vitest";
import { endsSoon } from "../../../engine/tls/renewal.ts";

const now = new Date("2026-11-21T00:00:00Z");
const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000).toISOString();

describe("a certificate", () => {
  it.each([
    [31, false],
    [30, false],
    [29.99, true],
    [0, true],
    [-5, true],
  ])("with %d days left is made anew: %s", (days, renewed) => {
    expect(endsSoon(inDays(days), now)).toBe(renewed);
  });

  it("whose end cannot be read is made anew", () => {
    expect(endsSoon("never", now)).toBe(true);
  });
});
