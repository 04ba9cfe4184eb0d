import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stagingLogLine } from "../../../engine/validation/accessLog.ts";
import { isLoopback, parseSockets } from "../../../engine/validation/infrastructure/listeningSockets.ts";
import { at, mismatches } from "../../../engine/validation/jsonExpectation.ts";
import { assetsOf, percentile } from "../../../engine/validation/performance/load.ts";
import { redactAll } from "../../../engine/validation/redact.ts";

describe("listening sockets", () => {
  const table = [
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0",
    "   1: 00000000:1539 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2 1 0 100 0 0 10 0",
    "   2: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 3 1 0 100 0 0 10 0",
    "   3: 00000000000000000000000001000000:1F91 00000000000000000000000000000000:0000 0A 0 0 0 0 0 0 4",
    "   4: 00000000000000000000000000000000:1F92 00000000000000000000000000000000:0000 0A 0 0 0 0 0 0 5",
    "   5: 0000000000000000FFFF00000100007F:1F93 00000000000000000000000000000000:0000 0A 0 0 0 0 0 0 6",
    "   6: B80D01200000000000000000010000000:1F94 0:0 01 0",
    "",
  ].join("\n");

  it("are read as people write them, connections left out", () => {
    expect(parseSockets(table)).toEqual([
      { address: "127.0.0.1", port: 8080 },
      { address: "0.0.0.0", port: 5433 },
      { address: "::1", port: 8081 },
      { address: "::", port: 8082 },
      { address: "127.0.0.1", port: 8083 },
    ]);
  });

  it("are loopback only when they are", () => {
    expect(["127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::", "10.0.0.1", "fe80::1"].map(isLoopback)).toEqual([true, true, true, false, false, false, false]);
  });
});

describe("the staging log format", () => {
  const good = '2026-11-21T01:02:03+00:00 [STAGING] 127.0.0.1 "GET / HTTP/2.0" 200 0.003 0.003 "curl/7.88.1"';
  it.each([good, good.replace("0.003 0.003", "0.000 -"), good.replace("0.003 0.003", "0.010 0.001, 0.002 : 0.001"), good.replace("curl/7.88.1", ""), good.replace("GET / HTTP/2.0", "")])("is: %s", (line) => {
    expect(line).toMatch(stagingLogLine);
  });
  it.each([
    good.replace("[STAGING] ", ""),
    good.replace("2026-11-21T01:02:03+00:00", "[21/Nov/2026:01:02:03 +0000]"),
    good.replace(" 0.003 0.003", " 0.003"),
    good.replace(' "curl/7.88.1"', ""),
    `${good} extra`,
    good.replace("200", "20"),
  ])("is not: %s", (line) => {
    expect(line).not.toMatch(stagingLogLine);
  });
});

describe("JSON expectations", () => {
  const document = { a: { "b/c": [1, { "~": null }] }, n: 3 };
  it("point as RFC 6901 says", () => {
    expect([at(document, ""), at(document, "/a/b~1c/0"), at(document, "/a/b~1c/1/~0"), at(document, "/a/x/y"), at(document, "/toString")]).toEqual([document, 1, null, undefined, undefined]);
  });
  it("say what is otherwise", () => {
    const expectations = [
      { pointer: "/n", equals: 3, minimum: 2 },
      { pointer: "/n", equals: "3" },
      { pointer: "/a", type: "array" as const },
      { pointer: "/a/b~1c", minimum: 3 },
      { pointer: "/a", minimum: 1 },
      { pointer: "/gone", equals: null },
    ];
    expect(mismatches(document, expectations)).toEqual([
      '/n is 3, not "3"',
      '/a is {"b/c":[1,{"~":null}]}, not of type array',
      "/a/b~1c has 2, fewer than 3",
      '/a is {"b/c":[1,{"~":null}]}, not something to count',
      "/gone is nothing, not null",
    ]);
  });
});

describe("measuring", () => {
  it("takes the nearest rank", () => {
    expect([percentile([5, 1, 3], 0.5), percentile([1], 0.95), percentile(Array.from({ length: 100 }, (_, index) => index + 1), 0.95)]).toEqual([3, 1, 95]);
  });

  it("leaves at most a twentieth above the 95th percentile", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1 }), (values) => {
        const p95 = percentile(values, 0.95);
        expect(values).toContain(p95);
        expect(values.filter((value) => value > p95).length).toBeLessThanOrEqual(values.length / 20);
      }),
    );
  });

  it("fetches what a browser would of the page's own, once", () => {
    const body = `<link rel="stylesheet" href="/static/a.css?v=1&amp;x=2"><link rel="canonical" href="/elsewhere"><script src="b.js"></script>
      <img alt="" src="https://example.org/c.png"><img src="/static/d.svg"><img src="/static/d.svg"><a href="/page">`;
    expect(assetsOf({ url: "https://localhost:8080/stories/", status: 200, headers: {}, body, durationMs: 1 })).toEqual([
      "https://localhost:8080/static/a.css?v=1&x=2",
      "https://localhost:8080/stories/b.js",
      "https://localhost:8080/static/d.svg",
    ]);
  });
});

it("takes secrets out of text wherever it stands", () => {
  const secrets = [{ name: "a password", value: "s3cret/pass" }];
  const value = { evidence: "let in with s3cret/pass", details: { list: [{ url: "postgresql://u:s3cret%2Fpass@h/d" }], "s3cret/pass": 1 }, durationMs: 3 };
  const clean = redactAll(value, secrets);
  expect(JSON.stringify(clean)).not.toMatch(/s3cret/);
  expect(clean.durationMs).toBe(3);
});
