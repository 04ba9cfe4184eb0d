import { expect, test } from "vitest";
import { modulesAreCurrent } from "../../../tools/modulesCurrent.ts";

const lock = {
  packages: {
    "": { version: "0.1.0" },
    "node_modules/a": { version: "1.0.0" },
    "node_modules/b-linux": { version: "2.0.0", optional: true },
    "node_modules/b-darwin": { version: "2.0.0", optional: true },
  },
};

test.each([
  ["everything", { "node_modules/a": { version: "1.0.0" }, "node_modules/b-linux": { version: "2.0.0" } }, true],
  ["a leftover as well", { "node_modules/a": { version: "1.0.0" }, "node_modules/old": { version: "1.0.0" } }, true],
  ["an older version", { "node_modules/a": { version: "0.9.0" } }, false],
  ["an older optional one", { "node_modules/a": { version: "1.0.0" }, "node_modules/b-linux": { version: "1.0.0" } }, false],
  ["nothing", {}, false],
])("with %s installed: %j", (_, packages, expected) => {
  expect(modulesAreCurrent(lock, { packages })).toBe(expected);
});
