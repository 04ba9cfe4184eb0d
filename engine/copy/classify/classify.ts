import type { Client } from "pg";
import type { ConnectionSettings } from "../../postgres/connection.ts";
import { exitCode, UnderstudyError } from "../../errors.ts";
import type { MaskingPolicy } from "../../masking/policy.ts";
import { silent } from "../../progress.ts";
import type { OnProgress } from "../../progress.ts";
import type { Catalog, Column, Table } from "../catalog.ts";
import { refuseWriter, writePowers } from "../guard.ts";
import { readCatalog } from "../readCatalog.ts";
import { openSource } from "../sourceSession.ts";
import { columnsWithoutRule } from "../ruleResolution.ts";
import { contentOf, jsonContentOf } from "./content.ts";
import { isAboutPeople } from "./hints.ts";
import { propose } from "./propose.ts";
import type { Proposal } from "./propose.ts";

export interface ClassifyOptions {
  /** Production; only ever read. */
  readonly source: ConnectionSettings;
  readonly allowWritableSource?: boolean;
  /** Only columns that this policy does not name. Default: every column. */
  readonly missingFrom?: MaskingPolicy;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

export interface ColumnProposal extends Proposal {
  readonly column: string;
  readonly type: string;
}

export interface TableProposal {
  readonly table: string;
  readonly columns: readonly ColumnProposal[];
}

export interface Classification {
  readonly tables: readonly TableProposal[];
  readonly columns: number;
  /** For large objects, where the source has some and they have no rule. */
  readonly largeObjects?: Proposal;
}

/**
 * Proposes a rule for every column of the source, from names, comments, types and what a sample of values looks like.
 * Values are looked at where they are: only counts, and keys of JSON that look like names, leave the source.
 * The session is a copy's: READ ONLY, and proved to have written nothing.
 * @throws UnderstudyError exit 2 for a role that could write or cannot read everything, 3 when the source fails, 130 when interrupted.
 */
export async function classifySource(options: ClassifyOptions): Promise<Classification> {
  const { source, onProgress = silent, signal } = options;
  const session = await openSource(source, { keys: new Map(), signal });
  try {
    refuseWriter(await writePowers(session.client), source, options.allowWritableSource ?? false);
    const catalog = await readCatalog(session.client);
    const wanted = options.missingFrom === undefined ? everyColumn(catalog) : columnsWithoutRule(options.missingFrom, catalog);
    const comments = await readComments(session.client);
    const tables: TableProposal[] = [];
    for (const [done, [table, columns]] of [...wanted].entries()) {
      onProgress({ step: "classify", message: `${table.key} (${done + 1} of ${wanted.size} tables)` });
      const proposals: ColumnProposal[] = [];
      for (const column of columns) {
        const proposal = await proposeFor(session.client, catalog, table, column, comments.get(`${table.oid}.${column.number}`));
        proposals.push({ column: column.name, type: column.type, ...proposal });
      }
      tables.push({ table: table.key, columns: proposals });
    }
    if (!(await session.proveUntouched())) {
      throw new UnderstudyError("The source gave this session a transaction id: something was written there.", { exitCode: exitCode.unexpected });
    }
    const columns = tables.reduce((sum, { columns: own }) => sum + own.length, 0);
    const objects = options.missingFrom?.largeObjects === undefined ? catalog.largeObjects : 0;
    if (objects === 0) return { tables, columns };
    return { tables, columns, largeObjects: { rule: "empty", confidence: "medium", reason: `${objects} large object(s) nobody can look into` } };
  } finally {
    await session.close();
  }
}

function everyColumn(catalog: Catalog): Map<Table, readonly Column[]> {
  const columns = catalog.tables.map((table): [Table, Column[]] => [table, table.columns.filter(({ generated }) => !generated)]);
  return new Map(columns.filter(([, own]) => own.length > 0));
}

async function proposeFor(client: Client, catalog: Catalog, table: Table, column: Column, comment: string | undefined): Promise<Proposal> {
  const reference = catalog.references.find(({ child, childColumns }) => child === table && childColumns.includes(column.name));
  const target = reference?.parentColumns[reference.childColumns.indexOf(column.name)];
  if (reference !== undefined && target !== undefined && !leadsBack(catalog, table, column.name)) {
    return propose({ table, column, refersTo: `${reference.parent.key}.${target}` });
  }
  const subject = catalog.references.find(({ child, parent, childColumns }) => child === table && childColumns.length === 1 && isAboutPeople(parent.name))?.childColumns[0];
  // A standby has no row of an unlogged table to look at.
  const readable = !(catalog.standby && table.unlogged);
  const readsText = column.family === "text" || column.family === "other" || (column.family === "array" && column.elementFamily === "text");
  return propose({
    table,
    column,
    comment,
    subject: isAboutPeople(table.name) ? undefined : subject,
    content: readable && readsText ? await contentOf(client, table, column) : undefined,
    json: readable && column.family === "json" ? await jsonContentOf(client, table, column) : undefined,
  });
}

/** Whether following foreign keys from a column comes back to it: then it needs a rule of its own. */
function leadsBack(catalog: Catalog, table: Table, column: string): boolean {
  const start = `${table.oid}.${column}`;
  const seen = new Set<string>();
  const waiting = [{ table, column }];
  for (let here = waiting.pop(); here !== undefined; here = waiting.pop()) {
    for (const { child, childColumns, parent, parentColumns } of catalog.references) {
      const target = child === here.table ? parentColumns[childColumns.indexOf(here.column)] : undefined;
      if (target === undefined) continue;
      const key = `${parent.oid}.${target}`;
      if (key === start) return true;
      if (!seen.has(key)) waiting.push({ table: parent, column: target });
      seen.add(key);
    }
  }
  return false;
}

async function readComments(client: Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ place: string; comment: string }>(
    `SELECT objoid::text || '.' || objsubid AS place, description AS comment FROM pg_description WHERE classoid = 'pg_class'::regclass AND objsubid > 0`,
  );
  return new Map(rows.map(({ place, comment }) => [place, comment]));
}
