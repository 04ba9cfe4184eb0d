import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CheckResult } from "../../../engine/report/check.ts";
import { html } from "../../../engine/report/html.ts";
import { renderPage } from "../../../engine/report/page.ts";
import { noBrowser, openBrowser } from "../../support/browser.ts";

const check = (id: string, rest: Partial<CheckResult>): CheckResult => ({
  id,
  category: id.split(".")[0] ?? id,
  title: `Title of ${id}`,
  severity: "error",
  status: "passed",
  evidence: "seen",
  durationMs: 3,
  ...rest,
});

const page = renderPage({
  title: "Staging validation",
  stack: "local",
  workload: "stories",
  verdict: "failed",
  headline: "1 failed: <script>window.broken = true</script>",
  startedAt: "2026-11-21T01:02:03Z",
  durationMs: 4_200,
  figures: [{ label: "Checks passed", value: "1 of 3" }],
  checks: [
    check("security.tls", { status: "failed", evidence: "TLS 1.0 answered", remedy: "Allow TLS 1.2 and later only." }),
    check("database.tables", {}),
    check("database.rows", { status: "errored", evidence: `could not run: ${"a-very-long-word".repeat(30)}`, remedy: "Look." }),
  ],
  sections: [{ title: "Where", body: html`<p>${"<b>not bold</b>"}</p>` }],
});

describe.skipIf(noBrowser !== undefined)(`reports in the real browser${noBrowser === undefined ? "" : ` (skipped: ${noBrowser})`}`, () => {
  let browser: Browser;
  let folder: string;
  let url: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "understudy-browser-"));
    await writeFile(join(folder, "report.html"), page);
    url = pathToFileURL(join(folder, "report.html")).href;
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    ["a desk", 1280, 900, "light"],
    ["a phone", 375, 700, "dark"],
  ] as const)("fit %s, ask for nothing, run nothing they were fed", async (_name, width, height, colorScheme) => {
    const view = await browser.newPage({ viewport: { width, height }, colorScheme });
    const requests: string[] = [];
    const problems: string[] = [];
    view.on("request", (request) => requests.push(request.url()));
    view.on("console", (message) => problems.push(message.text()));
    view.on("pageerror", (error) => problems.push(error.message));
    await view.goto(url);
    expect(requests).toEqual([url]);
    expect(problems).toEqual([]);
    expect(await view.evaluate("document.documentElement.scrollWidth <= window.innerWidth")).toBe(true);
    expect(await view.evaluate("window.broken")).toBeUndefined();
    expect(await view.getByText("<b>not bold</b>").isVisible()).toBe(true);
    expect(await view.getByText("TLS 1.0 answered").first().isVisible()).toBe(true);
    expect(await view.getByText("Allow TLS 1.2 and later only.").first().isVisible()).toBe(true);
    await view.close();
  });

  it("show what failed above everything else, and can be filtered", async () => {
    const view = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await view.goto(url);
    const failed = await view.getByText("TLS 1.0 answered").first().boundingBox();
    const passed = await view.getByText("Title of database.tables").first().boundingBox();
    expect(failed?.y ?? Infinity).toBeLessThan(passed?.y ?? Infinity);
    await view.getByPlaceholder("Filter checks").fill("tables");
    expect(await view.locator("text=Title of database.tables").last().isVisible()).toBe(true);
    await view.close();
  });
});
