import { describe, expect, it } from "vitest";
import { renderConsole } from "../../../engine/report/console.ts";
import { formatDuration } from "../../../engine/report/duration.ts";
import { html } from "../../../engine/report/html.ts";
import { renderJunit } from "../../../engine/report/junit.ts";
import { renderPage } from "../../../engine/report/page.ts";
import { oneOfEach, sampleCheck, sampleReport } from "./samples.ts";

const page = (checks = oneOfEach) =>
  renderPage({ ...sampleReport(checks), title: "Sample", headline: "3 orphans in Order.", checks, figures: [{ label: "Rows", value: "42", note: "of 42" }], sections: [{ title: "More", body: html`<p>body</p>` }] });

describe("the page", () => {
  it("leads with verdict and reason, then what to fix worst first, then all checks", () => {
    const text = page();
    const places = ["Sample <em>failed</em>", "3 orphans in Order.", ">Rows<", "What to fix", 'id="check-database.failed"', 'id="check-database.errored"', 'id="check-security.warned"', "All checks", "<p>body</p>"];
    const positions = places.map((place) => text.indexOf(place));
    expect(positions.filter((position) => position < 0)).toEqual([]);
    expect(positions).toEqual(positions.toSorted((left, right) => left - right));
    expect(text).not.toContain('id="check-security.held"');
  });

  it("makes no request and runs nothing it was fed", () => {
    const text = page([sampleCheck({ status: "failed", title: "<img src=x>", evidence: "</style><script>alert(1)</script>", details: { "<b>": ["<i>"], rows: [{ "<u>": "</td>" }] } })]);
    expect(text.match(/<script/g)).toHaveLength(1);
    expect(text).not.toMatch(/<img|<(i|u)>/);
    expect(text).not.toMatch(/(src|href)="(?!#)/);
    expect(text).not.toMatch(/@import|url\(/);
    expect(text).toContain("default-src &#39;none&#39;");
  });

  it("shows what stands between backticks as code, still escaped", () => {
    const text = page([sampleCheck({ status: "failed", evidence: "one ` alone", remedy: "Run `understudy up <x>`, then look." })]);
    expect(text).toContain("Run <code>understudy up &lt;x&gt;</code>, then look.");
    expect(text).toContain("one ` alone");
  });

  it("links no element twice and every reference to one that is there", () => {
    const text = page();
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of text.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
  });
});

describe("JUnit", () => {
  it("tells failure, error, skipped and warning apart", () => {
    const xml = renderJunit(sampleReport());
    expect(xml).toContain('<testsuites tests="5" failures="1" errors="1" skipped="1">');
    expect(xml).toMatch(/database\.failed[^>]*>\s*<failure message="3 orphans"/);
    expect(xml).toMatch(/database\.errored[^>]*>\s*<error message="connection refused"/);
    expect(xml).toMatch(/security\.skipped[^>]*>\s*<skipped/);
    expect(xml).toMatch(/security\.warned[^>]*>\s*<system-out><!\[CDATA\[Warning: disk is getting full/);
  });

  it("survives what XML cannot hold", () => {
    const xml = renderJunit(sampleReport([sampleCheck({ status: "failed", evidence: "a\u0000b\u001B[31m]]> \uD800 😀" })]));
    // oxlint-disable-next-line no-control-regex -- they are what must not be there
    expect(xml).not.toMatch(/[\u0000-\u0008\u001B]/);
    expect(xml).toContain("😀");
    const cdata = xml.slice(xml.indexOf("<![CDATA["), xml.lastIndexOf("</system-out>"));
    expect(cdata.replaceAll("]]]]><![CDATA[>", "").indexOf("]]>")).toBe(cdata.replaceAll("]]]]><![CDATA[>", "").length - 3);
  });
});

describe("the console", () => {
  it("shows what failed first with evidence and remedy, and ends in one summary line", () => {
    const lines = renderConsole(sampleReport()).trimEnd().split("\n");
    expect(lines[0]).toBe("✕ Failed  Orphans  database.failed");
    expect(lines.slice(1, 3)).toEqual(["    3 orphans", "    → Remove them."]);
    expect(lines.at(-1)).toBe("✕ failed: 1 failed, 1 could not run, 1 warning, 1 skipped, 1 passed in 1.24 s (sample, stack local)");
    expect(lines.some((line) => line.includes("Held"))).toBe(false);
    expect(renderConsole(sampleReport(), { verbose: true })).toContain("✓ Held");
  });

  it("colours only when told, and never lets evidence steer the terminal", () => {
    const report = sampleReport([sampleCheck({ status: "failed", evidence: "x\u001B]0;owned\u0007\u001B[2Jy\u202E" })]);
    // oxlint-disable-next-line no-control-regex -- they are what must not be there
    expect(renderConsole(report)).not.toMatch(/[\u001B\u0007\u202E]/);
    expect(renderConsole(report, { color: true })).toContain("\u001B[31m✕");
  });
});

it("durations read as a person would say them", () => {
  expect([0, 0.4, 3.2, 999.6, 1_240, 59_949, 59_951, 3_599_000, 3_840_000].map(formatDuration)).toEqual([
    "0 ms", "<1 ms", "3 ms", "1.00 s", "1.24 s", "59.9 s", "1 min 00 s", "59 min 59 s", "1 h 04 min",
  ]);
});
