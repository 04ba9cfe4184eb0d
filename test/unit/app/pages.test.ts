import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { problemPage, signInPage } from "../../../workloads/stories/app/pages/account.ts";
import { cover } from "../../../workloads/stories/app/pages/cover.ts";
import { count, day, label, money, price, readingTime } from "../../../workloads/stories/app/pages/format.ts";
import { escapeHtml, html } from "../../../workloads/stories/app/pages/html.ts";
import type { PageContext } from "../../../workloads/stories/app/pages/layout.ts";
import { storyPage } from "../../../workloads/stories/app/pages/stories.ts";

const context: PageContext = { user: undefined, path: "/", environment: "staging", asset: (name) => `/static/${name}` };

describe("html", () => {
  test("escapes parts, keeps markup made by itself, leaves out what is not there", () => {
    expect(html`<p title="${'"&'}">${"<b>"}${html`<i>${1}</i>`}${undefined}${false}${["a", html`<br>`]}</p>`.text).toBe(
      '<p title="&quot;&amp;">&lt;b&gt;<i>1</i>a<br></p>',
    );
  });

  test("no text can open a tag, leave an attribute or start an entity", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"']/);
        expect(escaped.replaceAll(/&(amp|lt|gt|quot|#39);/g, "")).not.toContain("&");
        expect(
          escaped.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&"),
        ).toBe(text);
      }),
    );
  });

  test("a story's text cannot leave its place on the page", () => {
    const hostile = `"><script>alert(1)</script>`;
    const page = storyPage(context, {
      id: "1", slug: hostile, title: hostile, body: hostile, excerpt: hostile, author: hostile, priceCents: 1, tags: [hostile], publishedAt: "2024-01-01T00:00:00Z", words: 1,
    });
    expect(page).not.toContain("<script");
    expect(page).toContain("&lt;script&gt;");
    expect(signInPage(context, { next: hostile, email: hostile, problem: hostile })).not.toContain("<script");
    expect(problemPage(context, 404, hostile, hostile)).not.toContain("<script");
  });

  test("pages carry no inline style or script, which the proxy's policy would block", () => {
    expect(signInPage(context, { next: "/" })).not.toMatch(/<script|<style| style=| on\w+=/);
  });
});

describe("cover", () => {
  test("belongs to its story, and is well-formed for every slug", () => {
    expect(cover("a").text).toBe(cover("a").text);
    expect(new Set(Array.from({ length: 50 }, (_, index) => cover(`story-${index}`).text)).size).toBe(50);
    fc.assert(
      fc.property(fc.string(), (slug) => {
        const { text } = cover(slug);
        expect(text).toMatch(/^<svg [^<>]+>(<\w+ [^<>]+\/>)+<\/svg>$/);
        expect(text).not.toMatch(/NaN|undefined|Infinity/);
      }),
    );
  });
});

test("formats", () => {
  expect([price(0), price(499), money(0), money(123_456, "USD")]).toEqual(["Free", "€4.99", "€0.00", "US$1,234.56"]);
  expect(day("2024-02-29T23:59:59.999Z")).toBe("29 February 2024");
  expect([count(1, "order"), count(1200, "order"), count(2, "story", "stories")]).toEqual(["1 order", "1,200 orders", "2 stories"]);
  expect([readingTime(0), readingTime(1000)]).toEqual(["1\u00a0min", "5\u00a0min"]);
  expect([label("LEARNER"), label("IN_REVIEW")]).toEqual(["Learner", "In review"]);
});
