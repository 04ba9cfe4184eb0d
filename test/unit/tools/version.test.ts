import { describe, expect, test } from "vitest";
import { atLeast, versionIn } from "../../../tools/version.ts";

describe("versionIn", () => {
  test.each([
    ["v3.246.0", [3, 246, 0]],
    ["3.250.0-dev.1+dirty", [3, 250, 0]],
    ["go version go1.19.8 linux/amd64", [1, 19, 8]],
    ["go version go1.26 linux/amd64", [1, 26]],
  ])("%s", (text, numbers) => {
    expect(versionIn(text)).toEqual(numbers);
  });

  test("is nothing where there is no version", () => {
    expect(versionIn("unknown")).toBeUndefined();
    expect(versionIn("")).toBeUndefined();
  });
});

describe("atLeast", () => {
  test.each([
    [[3, 246, 0], [3, 246, 0], true],
    [[3, 246, 1], [3, 246, 0], true],
    [[3, 99, 0], [3, 246, 0], false],
    [[4, 0, 0], [3, 246, 0], true],
    [[1, 26], [1, 25, 8], true],
    [[1, 25], [1, 25, 8], false],
    [[1, 25], [1, 25, 0], true],
    [[], [1], false],
  ])("%j against %j: %s", (version, wanted, expected) => {
    expect(atLeast(version, wanted)).toBe(expected);
  });
});
