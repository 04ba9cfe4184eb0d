import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** One measured figure and what it has to keep. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: "s" | "MB" | "ratio" | "checks" | "per s";
  readonly bound: { readonly relation: "<=" | ">="; readonly value: number };
}

export function holds({ value, bound }: Figure): boolean {
  return bound.relation === "<=" ? value <= bound.value : value >= bound.value;
}

/** `figure NAME VALUE <= BOUND ok`, or `miss`. */
export function figureLine(figure: Figure): string {
  const { name, value, unit, bound } = figure;
  return `figure ${name} ${value.toFixed(2)} ${unit} ${bound.relation} ${bound.value} ${unit} ${holds(figure) ? "ok" : "miss"}`;
}

/** Prints the figures and keeps them under `bench/results/`, with what they were computed from; the process ends with 5 when one is missed. */
export async function publish(name: string, figures: readonly Figure[], measured: Readonly<Record<string, unknown>> = {}): Promise<void> {
  for (const figure of figures) process.stdout.write(`${figureLine(figure)}\n`);
  const folder = join(import.meta.dirname, "results");
  await mkdir(folder, { recursive: true });
  const result = { bench: name, at: new Date().toISOString(), node: process.version, figures: figures.map((figure) => ({ ...figure, ok: holds(figure) })), measured };
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`);
  if (!figures.every(holds)) process.exitCode = 5;
}
