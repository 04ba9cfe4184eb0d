import { html, trusted, type Html } from "./html.ts";
import type { Standing } from "./standing.ts";

const shapes = {
  passed: '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
  failed: '<path d="M6.5 6.5l11 11M17.5 6.5l-11 11"/>',
  errored: '<circle cx="12" cy="12" r="9"/><path d="M12 7.5v5M12 16.2v.2"/>',
  warning: '<path d="M12 4.5l8.5 15h-17zM12 10.5v4M12 17v.1"/>',
  skipped: '<path d="M6 12h12"/>',
  chevron: '<path d="M9.5 6l6 6-6 6"/>',
} satisfies Record<Standing | "chevron", string>;

export type Icon = keyof typeof shapes;

/** The symbols, once a page, ahead of every `icon`. */
export const iconSheet: Html = html`<svg width="0" height="0" style="position:absolute" aria-hidden="true">${Object.entries(shapes).map(
  ([name, shape]) => html`<symbol id="icon-${name}" viewBox="0 0 24 24">${trusted(shape)}</symbol>`,
)}</svg>`;

/** Decorative: what it says always stands beside it in words. */
export function icon(name: Icon, className = ""): Html {
  return html`<svg class="icon ${className}" aria-hidden="true"><use href="#icon-${name}"/></svg>`;
}
