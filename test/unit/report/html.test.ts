import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escapeHtml, html, trusted } from "../../../engine/report/html.ts";

function unescape(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}

describe("html", () => {
  it("never lets interpolated text open an element or leave an attribute", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const inside = html`<p title="${text}">${text}</p>`.text.slice('<p title="'.length, -"</p>".length);
        const [attribute, content] = [escapeHtml(text), escapeHtml(text)];
        expect(inside).toBe(`${attribute}">${content}`);
        expect(content).not.toMatch(/[<>"']/);
        expect(unescape(content)).toBe(text);
      }),
    );
  });

  it("keeps results of its own, joins arrays, drops what is absent", () => {
    const items = ["a<b", html`<b>x</b>`, undefined, null, false, 0, [1n, [true]]];
    expect(html`[${items}]`.text).toBe("[a&lt;b<b>x</b>01true]");
  });

  it("does not take an object that merely looks like a result", () => {
    const forged = JSON.parse('{"text":"<script>"}') as string;
    expect(html`${forged}`.text).toBe("[object Object]");
    expect(html`${trusted("<i>")}`.text).toBe("<i>");
  });
});
