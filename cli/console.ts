import { stripVTControlCharacters, styleText } from "node:util";

/** Where a command writes: results on stdout, everything else on stderr. */
export interface Console {
  readonly color: boolean;
  /** A live display is fit to be shown. */
  readonly live: boolean;
  result(text: string): void;
  note(text: string): void;
}

type Style = Parameters<typeof styleText>[0];

/** Honours `NO_COLOR`, `FORCE_COLOR`, `CI` and `TERM=dumb`. */
export function openConsole(env: NodeJS.ProcessEnv = process.env): Console {
  const tty = process.stderr.isTTY === true && env["TERM"] !== "dumb";
  const color = env["NO_COLOR"] ? false : env["FORCE_COLOR"] ? true : tty;
  return {
    color,
    live: tty && !env["CI"],
    result: (text) => process.stdout.write(text.endsWith("\n") ? text : `${text}\n`),
    note: (text) => process.stderr.write(text.endsWith("\n") ? text : `${text}\n`),
  };
}

/** Styles text where the console wants colour. */
export function styled(console: Pick<Console, "color">, style: Style, text: string): string {
  return console.color ? styleText(style, text, { validateStream: false }) : text;
}

export function seconds(durationMs: number): string {
  return durationMs < 1_000 ? `${Math.round(durationMs)} ms` : `${(durationMs / 1_000).toFixed(1)} s`;
}

/** Columns padded to the widest cell, as wide as it looks; the last one is left as it is. */
export function table(rows: readonly (readonly string[])[]): string {
  const width = (cell: string) => stripVTControlCharacters(cell).length;
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, width(cell))));
  const padded = (cell: string, column: number) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - width(cell)));
  return rows.map((row) => row.map((cell, column) => (column === row.length - 1 ? cell : padded(cell, column))).join("  ")).join("\n");
}
