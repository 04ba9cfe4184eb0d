import { html } from "../../report/html.ts";
import type { Html, HtmlValue } from "../../report/html.ts";

export interface TableColumn<Row> {
  readonly label: string;
  readonly cell: (row: Row) => HtmlValue;
  /** Aligned right. */
  readonly isNumber?: boolean;
  /** On a phone, a line of its own without its label. */
  readonly isWide?: boolean;
}

/** A table that becomes a list on a phone, each cell with its column's name. */
export function stackedTable<Row>(columns: readonly TableColumn<Row>[], rows: readonly Row[]): Html {
  const kind = ({ isNumber = false, isWide = false }: TableColumn<Row>) => [isNumber && "number", isWide && "wide"].filter(Boolean).join(" ");
  return html`<table class="stacked"><thead><tr>${columns.map((column) => html`<th scope="col" class="${kind(column)}">${column.label}</th>`)}</tr></thead><tbody>${rows.map(
    (row) => html`<tr>${columns.map((column) => html`<td class="${kind(column)}" data-label="${column.label}">${column.cell(row)}</td>`)}</tr>`,
  )}</tbody></table>`;
}
