import { Document, isMap, isScalar } from "yaml";
import type { Pair, YAMLMap } from "yaml";
import type { Classification, ColumnProposal } from "./classify.ts";

/** The proposals as a masking.yaml, each line with its confidence and reason; what needs a person's eye is marked `low`. */
export function proposalYaml({ tables, columns, largeObjects }: Classification): string {
  if (columns === 0 && largeObjects === undefined) return "# Every column has a rule.\n";
  const document = new Document({
    version: 1,
    ...(largeObjects === undefined ? {} : { largeObjects: largeObjects.rule }),
    // Maps keep their order, whatever a table or column is called.
    tables: new Map(
      tables.map(({ table, columns: own }) => [table, { columns: new Map(own.map(({ column, rule }) => [column, rule === "null" ? null : rule])) }]),
    ),
  });
  document.commentBefore = ` Proposed by "understudy copy classify". Look at every line, first at those marked low.`;
  const ofObjects = document.get("largeObjects", true);
  if (largeObjects !== undefined && isScalar(ofObjects)) ofObjects.comment = ` ${largeObjects.confidence}: ${largeObjects.reason}`;
  for (const table of tables) {
    const written = document.getIn(["tables", table.table, "columns"], true);
    if (!isMap(written)) continue;
    for (const [index, proposal] of table.columns.entries()) annotate(written.items[index], proposal);
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function annotate(pair: Pair | undefined, { confidence, reason }: ColumnProposal): void {
  if (pair === undefined) return;
  const comment = ` ${confidence}: ${reason}`;
  const { key, value } = pair;
  if (isScalar(value)) value.comment = comment;
  else if (isScalar(key)) key.commentBefore = comment;
  if (isMap(value) && !value.items.some((item: YAMLMap["items"][number]) => isMap(item.value))) value.flow = true;
}
