import type { Client } from "pg";
import { quoteIdentifier } from "../postgres/identifier.ts";
import type { CheckResult } from "../report/check.ts";
import { stagingRoles } from "../staging/database.ts";
import { fromTable, qualified, referenceKey } from "./catalog.ts";
import type { Catalog, Reference, Table } from "./catalog.ts";
import { runCheck } from "./checkRun.ts";
import { keptColumns, sumTable } from "./checksum.ts";
import type { RowHash } from "./checksum.ts";
import { matchSql } from "./selection.ts";
import type { SubsetPlan } from "./subsetPlan.ts";
import type { TableTransfer } from "./transfer.ts";
import type { TableTreatment } from "./treatments.ts";
import { workThrough } from "./workers.ts";

export interface Copied {
  readonly catalog: Catalog;
  readonly plan: SubsetPlan;
  readonly treatments: readonly TableTreatment[];
  readonly transfers: ReadonlyMap<Table, TableTransfer>;
  readonly changedLater: ReadonlyMap<Table, ReadonlySet<string>>;
  readonly rowHash: RowHash;
}

/** Holds the filled database against what was sent and what the source's schema promises; tables are read as many at a time as there are sessions. */
export async function verifyCopy(clients: readonly Client[], copied: Copied): Promise<CheckResult[]> {
  const [client] = clients;
  if (client === undefined) throw new Error("no session to verify with");
  return [
    await checkRows(clients, copied),
    await checkOrphans(clients, copied),
    await checkConstraints(client, copied),
    await checkSequences(client, copied),
    await checkPrivileges(client, copied),
    await checkLimits(copied),
  ];
}

/** Row counts and checksums come from one reading of each table. */
function checkRows(clients: readonly Client[], { treatments, transfers, changedLater, rowHash }: Copied): Promise<CheckResult> {
  const definition = { id: "copy.checksums", title: "Every row arrived, kept columns unchanged", remedy: "Run the copy again; if it stays, the target's disk or memory is at fault." };
  return runCheck(definition, async () => {
    const wrong: string[] = [];
    let rows = 0;
    const largestFirst = treatments.toSorted((left, right) => (transfers.get(right.table)?.rows ?? 0) - (transfers.get(left.table)?.rows ?? 0));
    await workThrough(largestFirst, clients, async (treatment, client) => {
      const { table } = treatment;
      const transfer = transfers.get(table);
      if (transfer === undefined) return;
      const columns = keptColumns(treatment, changedLater.get(table) ?? new Set());
      const there = await sumTable(client, table, columns, rowHash);
      rows += there.rows;
      if (there.rows !== transfer.rows) wrong.push(`${table.key}: ${transfer.rows} rows sent, ${there.rows} there`);
      else if (transfer.kept.rows !== transfer.rows) wrong.push(`${table.key}: ${transfer.rows} rows sent, ${transfer.kept.rows} added up in the source`);
      else if (there.sum !== transfer.kept.sum) wrong.push(`${table.key}: kept columns differ (${columns.map(({ name }) => name).join(", ")})`);
    });
    return { holds: wrong.length === 0, evidence: wrong.length === 0 ? `${rows} rows in ${transfers.size} tables` : wrong.join("; ") };
  });
}

function checkOrphans(clients: readonly Client[], { plan, treatments }: Copied): Promise<CheckResult> {
  const definition = { id: "copy.orphans", title: "No row refers to one that is not there", remedy: "Check roots, cut and whole tables in subset.yaml." };
  return runCheck(definition, async () => {
    const copied = new Set(treatments.filter((treatment) => !treatment.leftOut).map(({ table }) => table));
    const wrong: string[] = [];
    const known: Record<string, number> = {};
    let looked = 0;
    await workThrough(plan.references, clients, async (reference, client) => {
      if (!copied.has(reference.child)) return;
      const orphans = await countOrphans(client, reference);
      looked += 1;
      if (orphans === 0) return;
      if (reference.declared && reference.validated) wrong.push(`${referenceKey(reference)}: ${orphans} orphan(s)`);
      else known[referenceKey(reference)] = orphans;
    });
    const evidence = wrong.length === 0 ? `0 orphans over ${looked} references` : wrong.join("; ");
    return { holds: wrong.length === 0, evidence, ...(Object.keys(known).length === 0 ? {} : { details: { "orphans the source does not forbid": known } }) };
  });
}

async function countOrphans(client: Client, reference: Reference): Promise<number> {
  const notNull = reference.childColumns.map((name) => `child.${quoteIdentifier(name)} IS NOT NULL`);
  const parent = `${reference.parentRelation.only ? "ONLY " : ""}${qualified(reference.parentRelation)}`;
  const conditions = [...notNull, ...(reference.where === undefined ? [] : [`(${reference.where})`])];
  const { rows } = await client.query<{ orphans: number }>(
    `SELECT count(*)::float8 AS orphans FROM ${fromTable(reference.child)} AS child
      WHERE ${conditions.join(" AND ")}
        AND NOT EXISTS (SELECT FROM ${parent} AS parent WHERE ${matchSql(reference, "parent", "child")})`,
  );
  return rows[0]?.orphans ?? Number.NaN;
}

function checkConstraints(client: Client, { catalog }: Copied): Promise<CheckResult> {
  const definition = { id: "copy.constraints", title: "Constraints and indexes are there and valid", remedy: "Look at the constraint in the source; it may not hold there either." };
  return runCheck(definition, async () => {
    const { rows } = await client.query<{ name: string; valid: boolean; table: number }>(
      `SELECT k.conname::text AS name, k.convalidated AS valid FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
        WHERE k.contype IN ('f', 'c') AND k.conparentid = 0 AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
       UNION ALL
       SELECT c.relname::text, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`,
    );
    const notValidThere = new Set(catalog.notValid);
    const names = new Set(rows.map(({ name }) => name));
    const missing = [
      ...catalog.references.map(({ name }) => name),
      ...catalog.tables.flatMap((table) => [...table.uniqueKeys, ...table.checks].map(({ name }) => name)),
    ].filter((name) => !names.has(name));
    const invalid = rows.filter(({ name, valid }) => !valid && !notValidThere.has(name)).map(({ name }) => name);
    const wrong = [...missing.map((name) => `${name} is missing`), ...invalid.map((name) => `${name} is not valid`)];
    const suffix = notValidThere.size === 0 ? "" : `; NOT VALID as in the source: ${[...notValidThere].join(", ")}`;
    return { holds: wrong.length === 0, evidence: wrong.length === 0 ? `${rows.length} constraints and indexes valid${suffix}` : wrong.join("; ") };
  });
}

function checkSequences(client: Client, { catalog }: Copied): Promise<CheckResult> {
  const definition = { id: "copy.sequences", title: "Sequences are ahead of the keys they give", remedy: "The source's own sequence lags behind its column: set it there." };
  return runCheck(definition, async () => {
    const wrong: string[] = [];
    for (const sequence of catalog.sequences) {
      const { rows } = await client.query<{ last: string; called: boolean }>(`SELECT last_value::text AS last, is_called AS called FROM ${qualified(sequence)}`);
      const state = rows[0];
      if (state?.last !== sequence.lastValue || state.called !== sequence.isCalled) {
        wrong.push(`${sequence.name} is at ${state?.last ?? "nothing"}, the source's at ${sequence.lastValue}`);
        continue;
      }
      if (sequence.filled === undefined) continue;
      const { filled } = sequence;
      const bound = sequence.increment.startsWith("-") ? "min" : "max";
      const behind = sequence.increment.startsWith("-") ? "<" : ">";
      const over = sequence.isCalled ? behind : `${behind}=`;
      const answer = await client.query<{ behind: boolean | null }>(
        `SELECT ${bound}(${quoteIdentifier(filled.column)})::numeric ${over} $1::numeric AS behind FROM ${qualified({ schema: filled.schema, name: filled.table })}`,
        [sequence.lastValue],
      );
      if (answer.rows[0]?.behind === true) wrong.push(`${sequence.name} is behind ${filled.table}.${filled.column}`);
    }
    return { holds: wrong.length === 0, evidence: wrong.length === 0 ? `${catalog.sequences.length} sequences as in the source` : wrong.join("; ") };
  });
}

function checkPrivileges(client: Client, { treatments }: Copied): Promise<CheckResult> {
  const definition = { id: "copy.privileges", title: "The application and the read-only role may do what they must", remedy: "Run `understudy up` to grant again." };
  return runCheck(definition, async () => {
    const wrong: string[] = [];
    for (const { table } of treatments) {
      const { rows } = await client.query<{ app: boolean; reader: boolean; owner: boolean }>(
        `SELECT has_table_privilege($2, c.oid, 'SELECT') AND has_table_privilege($2, c.oid, 'INSERT') AND has_table_privilege($2, c.oid, 'UPDATE') AS app,
                has_table_privilege($3, c.oid, 'SELECT') AS reader, pg_get_userbyid(c.relowner) = $4 AS owner
           FROM pg_class c WHERE c.oid = $1::regclass`,
        [qualified(table), stagingRoles.app, stagingRoles.readOnly, stagingRoles.owner],
      );
      const [held] = rows;
      if (held?.app !== true) wrong.push(`${table.key}: not ${stagingRoles.app}'s to use`);
      if (held?.reader !== true) wrong.push(`${table.key}: not ${stagingRoles.readOnly}'s to read`);
      if (held?.owner !== true) wrong.push(`${table.key}: not owned by ${stagingRoles.owner}`);
    }
    return { holds: wrong.length === 0, evidence: wrong.length === 0 ? `${treatments.length} tables` : wrong.join("; ") };
  });
}

function checkLimits({ plan, transfers }: Copied): Promise<CheckResult> {
  const definition = {
    id: "copy.limits",
    title: "No more rows of the roots than asked for",
    remedy: "Parents brought more in: cut the references to this table in subset.yaml.",
    severity: "warning",
  } as const;
  return runCheck(definition, async () => {
    const limits = new Map<Table, number>();
    for (const { table, limit } of plan.roots) limits.set(table, (limits.get(table) ?? 0) + limit);
    const own = new Set(plan.roots.filter(({ rule, limit }) => rule.limit === undefined && Number.isFinite(limit)).map(({ table }) => table));
    const seen = [...limits].filter(([table]) => own.has(table)).map(([table, limit]) => ({ table: table.key, limit, rows: transfers.get(table)?.rows ?? 0 }));
    const wrong = seen.filter(({ rows, limit }) => rows > limit);
    const evidence = seen.map(({ table, rows, limit }) => `${table}: ${rows} of at most ${limit}`).join("; ") || "no root has a limit";
    return { holds: wrong.length === 0, evidence };
  });
}
