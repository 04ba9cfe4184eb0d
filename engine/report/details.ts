import { html, type Html } from "./html.ts";

const mostRows = 50;

type Row = Readonly<Record<string, unknown>>;

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is string | number | boolean | null | undefined {
  return value === null || value === undefined || ["string", "number", "boolean"].includes(typeof value);
}

function renderScalar(value: unknown): Html {
  if (isScalar(value)) return html`${value === null || value === undefined ? "–" : String(value)}`;
  return html`<code>${JSON.stringify(value)}</code>`;
}

function renderValue(value: unknown): Html {
  if (isScalar(value)) return renderScalar(value);
  if (Array.isArray(value) && value.length > 0 && value.every(isRow)) return renderRows(value);
  if (Array.isArray(value) && value.every(isScalar)) return html`${value.length === 0 ? "none" : value.map(String).join(", ")}`;
  return html`<pre>${JSON.stringify(value, null, 2)}</pre>`;
}

function renderRows(rows: readonly Row[]): Html {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const numeric = new Set(columns.filter((column) => rows.every((row) => row[column] === undefined || typeof row[column] === "number")));
  const cellClass = (column: string) => (numeric.has(column) ? "number" : "");
  return html`<table>
<thead><tr>${columns.map((column) => html`<th scope="col" class="${cellClass(column)}">${column}</th>`)}</tr></thead>
<tbody>${rows.slice(0, mostRows).map((row) => html`<tr>${columns.map((column) => html`<td class="${cellClass(column)}">${renderScalar(row[column])}</td>`)}</tr>`)}</tbody>
</table>${rows.length > mostRows && html`<p>and ${rows.length - mostRows} more</p>`}`;
}

/** A check's structured evidence, folded away: lists of objects as tables, the rest as name and value. */
export function renderDetails(details: Row | undefined): Html | undefined {
  const entries = Object.entries(details ?? {});
  if (entries.length === 0) return undefined;
  return html`<details class="details"><summary>Details</summary><dl>${entries.map(
    ([name, value]) => html`<dt>${name}</dt><dd>${renderValue(value)}</dd>`,
  )}</dl></details>`;
}
