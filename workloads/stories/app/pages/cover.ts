import { createHash } from "node:crypto";
import { Html } from "./html.ts";

interface Palette {
  readonly ground: string;
  readonly far: string;
  readonly near: string;
  readonly light: string;
}

const palettes: readonly Palette[] = [
  { ground: "#12343b", far: "#2d6a6a", near: "#e1b382", light: "#f6e7cb" },
  { ground: "#5c2a3a", far: "#8f4652", near: "#e8a87c", light: "#fbe8d3" },
  { ground: "#22304a", far: "#3f5a83", near: "#8fb8c9", light: "#f3d9a4" },
  { ground: "#3a4a2a", far: "#66803f", near: "#c9b458", light: "#f5efd0" },
  { ground: "#44315e", far: "#6f5391", near: "#c79ac4", light: "#f8e3d4" },
  { ground: "#7a3b1d", far: "#b0602e", near: "#e7b267", light: "#fff0d8" },
  { ground: "#f0c987", far: "#d98f5c", near: "#8a3f3a", light: "#fff6e3" },
  { ground: "#bcd9d3", far: "#6fa8a0", near: "#23575a", light: "#fffaf0" },
];

/** A whole number that follows from the story: the `index`-th choice, from `low` to `high`. */
type Choice = (index: number, low: number, high: number) => number;

const width = 320;
const height = 200;

/** A picture that belongs to a story: a landscape under a sky, drawn from a hash of its slug. Decoration only. */
export function cover(slug: string): Html {
  const bytes = createHash("sha256").update(slug).digest();
  const choose: Choice = (index, low, high) => low + ((bytes[index % bytes.length] ?? 0) % (high - low + 1));
  const palette = palettes[choose(0, 0, palettes.length - 1)] ?? { ground: "#12343b", far: "#2d6a6a", near: "#e1b382", light: "#f6e7cb" };
  const sun = { x: choose(2, 60, 260), y: choose(3, 44, 92), radius: choose(4, 16, 36) };
  const landscape = [hills, mountains, sea, forest][choose(1, 0, 3)] ?? hills;
  return new Html(
    `<svg class="cover" viewBox="0 0 ${width} ${height}" preserveAspectRatio="xMidYMid slice" aria-hidden="true" focusable="false">` +
      `<rect width="${width}" height="${height}" fill="${palette.ground}"/>` +
      stars(choose, palette, sun) +
      `<circle cx="${sun.x}" cy="${sun.y}" r="${sun.radius}" fill="${palette.light}"/>` +
      landscape(choose, palette) +
      "</svg>",
  );
}

function stars(choose: Choice, { light }: Palette, sun: { x: number; y: number; radius: number }): string {
  return Array.from({ length: choose(5, 4, 9) }, (_, index) => ({ x: choose(12 + index, 8, width - 8), y: choose(21 + index, 8, 90), radius: 1 + (index % 2) * 0.6 }))
    .filter(({ x, y }) => Math.hypot(x - sun.x, y - sun.y) > sun.radius + 8)
    .map(({ x, y, radius }) => `<circle cx="${x}" cy="${y}" r="${radius}" fill="${light}"/>`)
    .join("");
}

function hills(choose: Choice, { far, near }: Palette): string {
  const hill = (seed: number, top: number): string =>
    `M0 ${top + choose(seed, -18, 12)} Q ${choose(seed + 1, 50, 90)} ${top - choose(seed + 2, 10, 60)} 160 ${top + choose(seed + 3, -12, 18)} ` +
    `T ${width} ${top + choose(seed + 4, -24, 12)} V${height} H0 Z`;
  return `<path d="${hill(6, 132)}" fill="${far}"/><path d="${hill(14, 170)}" fill="${near}"/>`;
}

function mountains(choose: Choice, { far, near }: Palette): string {
  const ridge = (seed: number, base: number, peaks: number): string => {
    const step = width / peaks;
    const points = Array.from({ length: peaks }, (_, index) => {
      const x = Math.round(index * step);
      return `${x},${base} ${Math.round(x + step / 2) + choose(seed + index, -14, 14)},${base - choose(seed + index + 3, 34, 84)}`;
    });
    return `0,${height} ${points.join(" ")} ${width},${base} ${width},${height}`;
  };
  return `<polygon points="${ridge(6, 172, 3)}" fill="${far}"/><polygon points="${ridge(15, 196, 4)}" fill="${near}"/>`;
}

function sea(choose: Choice, { far, near, light }: Palette): string {
  const horizon = choose(6, 112, 134);
  const waves = Array.from({ length: 6 }, (_, index) => {
    const y = horizon + 12 + index * 12;
    const length = choose(7 + index, 30, 110);
    return `<rect x="${choose(14 + index, 10, 200)}" y="${y}" width="${length}" height="3" rx="1.5" fill="${index % 2 === 0 ? near : light}"/>`;
  });
  const x = choose(22, 70, 230);
  const boat = `<path d="M${x} ${horizon + 4} h44 l-9 13 h-26 z M${x + 20} ${horizon} v-38 l22 32 z" fill="${light}"/>`;
  return `<rect y="${horizon}" width="${width}" height="${height - horizon}" fill="${far}"/>${waves.join("")}${boat}`;
}

function forest(choose: Choice, { far, near }: Palette): string {
  const trees = (seed: number, amount: number, base: number, fill: string): string =>
    Array.from({ length: amount }, (_, index) => {
      const x = Math.round(((index + 0.5) * width) / amount) + choose(seed + index, -10, 10);
      const tall = choose(seed + index + 5, 44, 96);
      const half = Math.round(tall / 4.5);
      return `<path d="M${x} ${base - tall} l${half} ${tall} h-${half * 2} z" fill="${fill}"/>`;
    }).join("");
  return (
    `${trees(6, 9, 168, far)}<rect y="166" width="${width}" height="34" fill="${far}"/>` +
    `${trees(17, 6, 194, near)}<rect y="192" width="${width}" height="8" fill="${near}"/>`
  );
}
