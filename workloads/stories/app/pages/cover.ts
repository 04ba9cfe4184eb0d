import { createHash } from "node:crypto";
import { html, type Html } from "./html.ts";

/** Ground, two shapes, accent. */
const palettes: readonly (readonly [string, string, string, string])[] = [
  ["#12343b", "#2d6a6a", "#e1b382", "#f6e7cb"],
  ["#5c2a3a", "#8f4652", "#e8a87c", "#fbe8d3"],
  ["#22304a", "#3f5a83", "#8fb8c9", "#f3d9a4"],
  ["#3a4a2a", "#66803f", "#c9b458", "#f5efd0"],
  ["#44315e", "#6f5391", "#c79ac4", "#f8e3d4"],
  ["#7a3b1d", "#b0602e", "#e7b267", "#fff0d8"],
];

/** A picture that belongs to a story: hills under a sky, drawn from a hash of its slug. Decoration only. */
export function cover(slug: string): Html {
  const bytes = createHash("sha256").update(slug).digest();
  const byte = (index: number): number => bytes[index % bytes.length] ?? 0;
  const between = (index: number, low: number, high: number): number => Math.round(low + (byte(index) / 255) * (high - low));
  const [ground, far, near, light] = palettes[byte(0) % palettes.length] ?? ["#12343b", "#2d6a6a", "#e1b382", "#f6e7cb"];
  const hill = (seed: number, height: number): string =>
    `M0 ${between(seed, height - 18, height + 12)} Q ${between(seed + 1, 50, 90)} ${between(seed + 2, height - 60, height - 10)} ` +
    `160 ${between(seed + 3, height - 12, height + 18)} T 320 ${between(seed + 4, height - 24, height + 12)} V200 H0 Z`;
  const stars = Array.from({ length: 4 + (byte(20) % 5) }, (_, index) => {
    const at = 20 + index * 2;
    return html`<circle cx="${between(at, 10, 310)}" cy="${between(at + 1, 8, 84)}" r="${1 + (byte(at) % 2)}" fill="${light}"/>`;
  });
  return html`<svg class="cover" viewBox="0 0 320 200" preserveAspectRatio="xMidYMid slice" aria-hidden="true" focusable="false"><rect width="320" height="200" fill="${ground}"/>${stars}<circle cx="${between(1, 60, 260)}" cy="${between(2, 40, 96)}" r="${between(3, 18, 40)}" fill="${light}"/><path d="${hill(4, 132)}" fill="${far}"/><path d="${hill(10, 168)}" fill="${near}"/></svg>`;
}
