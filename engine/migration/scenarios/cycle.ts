import type { Client } from "pg";
import { attempt, failed, noneOf, passed, Pointless } from "../board.ts";
import type { CheckDefinition, Outcome } from "../board.ts";
import { migrate, withClone, withLazyObserver, withObserver, withRole } from "../context.ts";
import type { Migrated, RehearsalContext } from "../context.ts";
import { describeRefusal } from "../run/apply.ts";
import { captureBefore, definitionOf, evaluateRule } from "../rules.ts";
import { derivedChanges } from "../source/scope.ts";
import { checksumAll, sameChecksum } from "../state/checksums.ts";
import type { RowChecksum } from "../state/checksums.ts";
import { brokenChecks, duplicates, orphans, uniqueKeys } from "../state/constraints.ts";
import { differencesInRows, writtenAnew } from "../state/restored.ts";
import type { WrittenAnew } from "../state/restored.ts";
import { compareSchemas, describeDifference } from "../state/schema.ts";
import type { SchemaDifference } from "../state/schema.ts";
import { sequenceFaults } from "../state/sequences.ts";
import { rowsOf, takeSnapshot } from "../state/snapshot.ts";
import type { Snapshot } from "../state/snapshot.ts";
import { fullName } from "../state/tables.ts";
import { unchangedRows } from "../state/unchanged.ts";
import { settlePerformance, performanceDefinitions, timeQueries } from "./measured.ts";
import { compareRules, lookAtRules, workloadRules } from "./integrityRules.ts";
import { schemaCheckDefinitions, schemaOutcomes } from "./schemaChecks.ts";

/** Figures of the workload, side by side. */
export interface FigureTable {
  readonly title: string;
  readonly rows: readonly { readonly name: string; readonly before: string; readonly afterUp: string; readonly afterDown: string }[];
}

/** What the main course leaves for the report and for later scenarios. */
export interface Cycle {
  /** The clone it ran on, left in the state after up; undefined when it did not get that far. */
  clone: string | undefined;
  /** Whether down was seen to bring back everything, so that a clone can be used again after it. */
  restores: boolean;
  /** What every run writes anew, so that runs cannot agree on it. */
  anew: WrittenAnew;
  /** Checksums after up that every run of up must come to: without what is written anew each time. */
  repeatable: ReadonlyMap<string, RowChecksum | string>;
  before: Snapshot | undefined;
  afterUp: Snapshot | undefined;
  up: Migrated | undefined;
  down: Migrated | undefined;
  figures: FigureTable[];
  schemaChanges: readonly SchemaDifference[];
}

const logic: readonly CheckDefinition[] = [
  { id: "logic.up-applies", title: "The migration runs to its end", remedy: "Correct the statement named; the server's message says why." },
  { id: "logic.up-changes-something", title: "The migration changes something", remedy: "An up file that changes neither schema nor rows does nothing: correct or remove it." },
];
const integrity: readonly CheckDefinition[] = [
  { id: "integrity.unchanged-rows", title: "Rows and values out of the migration's scope stay as they were", remedy: "Narrow the statement's WHERE or its type change; or declare the change in the workload's expectations." },
  { id: "integrity.foreign-keys", title: "No foreign key points into nothing", remedy: "Repair or remove the orphans in the migration, with triggers enabled." },
  { id: "integrity.check-constraints", title: "Every row keeps every CHECK constraint", remedy: "Repair these rows before the constraint is added." },
  { id: "integrity.unique-keys", title: "What was unique stays unique", remedy: "Find these values before the migration and decide which row keeps them; keep the unique index while rows change." },
  { id: "integrity.sequences", title: "Sequences go forward only and stay ahead of their columns", remedy: "Set the sequence with setval to the highest value in use." },
];
const rollback: readonly CheckDefinition[] = [
  { id: "rollback.down-applies", title: "The rollback runs to its end", remedy: "Correct the statement named; try the rollback on filled tables." },
  { id: "rollback.down-changes-something", title: "The rollback changes something", remedy: "A down file that does nothing is no rollback: undo what up did." },
  { id: "rollback.schema-restored", title: "The rollback brings the whole schema back", remedy: "Undo in down what is named here." },
  { id: "rollback.column-order", title: "The rollback keeps the order of columns", severity: "warning", remedy: "Harmless to queries that name their columns; look for `SELECT *` and COPY without a column list." },
  { id: "rollback.rows-restored", title: "The rollback brings every row back", remedy: "Restore these rows from what up noted down; never from a guess such as the present value." },
  { id: "rollback.sequences", title: "The rollback sets no sequence back", remedy: "Leave sequences alone in down, or set them to the highest value in use: numbers given out since would come a second time." },
  { id: "rollback.up-again", title: "The migration runs again after its rollback", remedy: "Down leaves something that up trips over: remove it in down." },
  { id: "rollback.schema-repeated", title: "Up after down gives the same schema as up at first", remedy: "Down leaves something that changes what up does." },
  { id: "rollback.rows-repeated", title: "Up after down gives the same rows as up at first", remedy: "Down leaves rows or notes behind that change what up does." },
];

/**
 * S0 → up → S1 → down → S2 → up → S3 on one clone: logic and integrity in S1, S2 against S0, S3 against S1,
 * every statement timed and traced.
 * @param onTimed told when what is timed is over and nobody is connected to the base: from then on other work may run beside
 */
export async function runCycle(context: RehearsalContext, onTimed: (cycle: Cycle) => void = () => {}): Promise<Cycle> {
  const { expectations, document, board } = context;
  const cycle: Cycle = { clone: undefined, restores: false, anew: () => [], repeatable: new Map(), before: undefined, afterUp: undefined, up: undefined, down: undefined, figures: [], schemaChanges: [] };
  const definitions = [
    ...logic,
    ...expectations.afterUp.map((rule) => definitionOf("logic", rule)),
    ...integrity,
    ...schemaCheckDefinitions,
    workloadRules,
    ...rollback,
    ...expectations.afterDown.map((rule) => definitionOf("rollback", rule)),
    ...performanceDefinitions(document),
  ];
  await board.group(definitions, async (settle) => {
    const clone = await context.clones.clone(context.base, context.signal);
    await withObserver(context, clone, (observer) =>
      withRole(context, clone, "owner", (owner) => runCourse(context, { clone, observer, owner, settle, cycle, onTimed })),
    );
    cycle.clone = clone;
  }, { signal: context.signal, always: true });
  return cycle;
}

interface Course {
  readonly clone: string;
  readonly observer: Client;
  readonly owner: Client;
  readonly settle: (id: string, outcome: Outcome) => void;
  readonly cycle: Cycle;
  readonly onTimed: (cycle: Cycle) => void;
}

async function runCourse(context: RehearsalContext, course: Course): Promise<void> {
  const { clone, observer, owner, settle, cycle } = course;
  const { expectations, migration } = context;
  const [before, rulesBefore, figuresBefore] = await Promise.all([
    takeSnapshot(observer),
    lookAtRules(context, clone),
    captureBefore(owner, expectations.capture).then(() => readFigures(context, owner)),
  ]);
  cycle.before = before;
  const queriesBefore = await timeQueries(owner, context.document.standardQueries);

  const { rows: [run = { since: "", timeZone: "UTC" }] } = await owner.query<{ since: string; timeZone: string }>(
    `SELECT clock_timestamp()::text AS since, current_setting('TimeZone') AS "timeZone"`,
  );
  const up = await migrate(context, clone, "up", { trace: true });
  cycle.up = up;
  settle("logic.up-applies", up.succeeded ? passed(`${up.runs.length} statements, ${Math.round(up.endedAt - up.startedAt)} ms.`) : failed(describeRefusal(up.refusal)));
  if (!up.succeeded) throw new Pointless("Needs logic.up-applies, which failed.");

  const afterUp = await takeSnapshot(observer, before);
  cycle.afterUp = afterUp;
  cycle.schemaChanges = compareSchemas(before.schema, afterUp.schema);
  cycle.anew = await writtenAnew(observer, before, afterUp, run);
  cycle.repeatable = await checksumAll(observer, afterUp.tables, cycle.anew, afterUp.rows);
  const upDoes = changed(before, afterUp);
  settle("logic.up-changes-something", upDoes ? passed(`${cycle.schemaChanges.length} changes of schema, ${changedTables(before, afterUp)} tables with other rows.`) : failed("Schema and rows are the same before and after."));
  await Promise.all([
    settleRules(context, course, "logic"),
    settleIntegrity(context, course, before, afterUp),
    attempt(async () => compareRules(rulesBefore, await lookAtRules(context, clone))).then((outcome) => settle(workloadRules.id, outcome)),
  ]);
  const figuresUp = await readFigures(context, owner);
  await settlePerformance(context, { owner, up, before, queriesBefore, settle });

  if (migration.down === undefined || migration.down.statements.length === 0) {
    settle("rollback.down-applies", failed(`${migration.name} has no down file with statements in it.`));
    throw new Pointless("Needs rollback.down-applies, which failed.");
  }
  const down = await migrate(context, clone, "down", { trace: true });
  cycle.down = down;
  settle("rollback.down-applies", down.succeeded ? passed(`${down.runs.length} statements, ${Math.round(down.endedAt - down.startedAt)} ms.`) : failed(describeRefusal(down.refusal)));
  if (!down.succeeded) throw new Pointless("Needs rollback.down-applies, which failed.");

  const afterDown = await takeSnapshot(observer, afterUp);
  settle("rollback.down-changes-something", changed(afterUp, afterDown) ? passed("Schema or rows differ from those after up.") : failed("Schema and rows are the same before and after down."));
  const schemaRestored = settleSchema(settle, "rollback.schema-restored", before, afterDown, "Every object of the schema is as before.");
  settle("rollback.column-order", noneOf(compareSchemas(before.schema, afterDown.schema).filter(isColumnOrder).map(describeDifference), "Columns stand in their old order."));
  await withLazyObserver(context, context.base, async (base) => {
    const ignored = new Map(expectations.notRestored.map(({ table, columns }) => [fullName(table), columns]));
    const findings = await differencesInRows({ snapshot: before, client: base }, { snapshot: afterDown, client: async () => observer }, ({ name }) => ignored.get(name) ?? []);
    settle("rollback.rows-restored", noneOf(findings, `${totalRows(before)} rows in ${before.tables.length} tables are as before.`));
    cycle.restores = schemaRestored && findings.length === 0 && expectations.notRestored.length === 0;
  });
  settle("rollback.sequences", noneOf(sequenceFaults(before.sequences, afterDown.sequences), `${afterDown.sequences.length} sequences stand where they should.`));
  await settleRules(context, course, "rollback");
  const figuresDown = await readFigures(context, owner);
  cycle.figures = expectations.figures.map(({ title }, index) => ({ title, rows: sideBySide(figuresBefore[index], figuresUp[index], figuresDown[index]) }));

  course.onTimed(cycle);
  const again = await migrate(context, clone, "up");
  settle("rollback.up-again", again.succeeded ? passed("Applied.") : failed(describeRefusal(again.refusal)));
  if (!again.succeeded) throw new Pointless("Needs rollback.up-again, which failed.");
  const afterAgain = await takeSnapshot(observer, afterDown);
  settleSchema(settle, "rollback.schema-repeated", afterUp, afterAgain, "The same schema as after the first up.");
  await settleRepeatedRows(context, course, { afterUp, afterAgain });
}

async function settleIntegrity(context: RehearsalContext, { observer, settle }: Course, before: Snapshot, afterUp: Snapshot): Promise<void> {
  const changes = context.expectations.changes ?? derivedChanges(context.migration.up);
  await withLazyObserver(context, context.base, async (base) => {
    const rows = await unchangedRows({ client: base, snapshot: before }, { client: observer, snapshot: afterUp }, changes);
    settle("integrity.unchanged-rows", noneOf(rows.findings, `${rows.checkedRows} rows in ${rows.checkedTables} tables keep what the migration may not change.`));
    const unique = await uniqueKeys(await base());
    const twice = await duplicates(observer, unique);
    settle("integrity.unique-keys", noneOf(twice.findings, `${unique.length} unique keys: for ${unique.length - twice.read} their index still stands, ${twice.read} were read.`));
  });
  const keys = await orphans(observer);
  settle("integrity.foreign-keys", noneOf(keys.findings, `${keys.looked} foreign keys, no orphan.`));
  const checks = await brokenChecks(observer);
  settle("integrity.check-constraints", noneOf(checks.findings, `${checks.looked} CHECK constraints hold.`));
  settle("integrity.sequences", noneOf(sequenceFaults(before.sequences, afterUp.sequences), `${afterUp.sequences.length} sequences stand where they should.`));
  for (const [id, outcome] of schemaOutcomes(before, afterUp, context.migration.up)) settle(id, outcome);
}

async function settleRules(context: RehearsalContext, { owner, settle }: Course, category: "logic" | "rollback"): Promise<void> {
  for (const rule of category === "logic" ? context.expectations.afterUp : context.expectations.afterDown) {
    settle(`${category}.${rule.id}`, await attempt(() => evaluateRule(owner, rule)));
  }
}

interface Repeated {
  readonly afterUp: Snapshot;
  readonly afterAgain: Snapshot;
}

/** On a difference, compares with a third up on a clone of its own, so that rows can be named. */
async function settleRepeatedRows(context: RehearsalContext, { observer, settle, cycle }: Course, { afterUp, afterAgain }: Repeated): Promise<void> {
  const ignored = cycle.anew;
  const sums = await checksumAll(observer, afterUp.tables, ignored, afterAgain.rows);
  if (afterUp.tables.every(({ name }) => sameChecksum(cycle.repeatable.get(name), sums.get(name)))) {
    settle("rollback.rows-repeated", passed(`${totalRows(afterUp)} rows are as after the first up, times and generated numbers of new rows aside.`));
    return;
  }
  await withClone(context, async (reference) => {
    await migrate(context, reference, "up");
    await withObserver(context, reference, async (client) => {
      const fresh = await takeSnapshot(client);
      const findings = await differencesInRows({ snapshot: fresh, client: async () => client }, { snapshot: afterAgain, client: async () => observer }, ignored);
      settle("rollback.rows-repeated", noneOf(findings, `${totalRows(afterUp)} rows are as after an up of its own.`));
    });
  });
}

/** True when they are the same. */
function settleSchema(settle: Course["settle"], id: string, before: Snapshot, after: Snapshot, calm: string): boolean {
  const differences = compareSchemas(before.schema, after.schema).filter((difference) => !isColumnOrder(difference));
  settle(id, noneOf(differences.map(describeDifference), calm));
  return differences.length === 0;
}

const isColumnOrder = ({ kind }: SchemaDifference): boolean => kind === "column order";

function changed(one: Snapshot, other: Snapshot): boolean {
  return compareSchemas(one.schema, other.schema).length > 0 || changedTables(one, other) > 0;
}

function changedTables(one: Snapshot, other: Snapshot): number {
  return one.tables.filter(({ name }) => JSON.stringify(one.rows.get(name)) !== JSON.stringify(other.rows.get(name))).length;
}

function totalRows(snapshot: Snapshot): number {
  return snapshot.tables.reduce((sum, { name }) => sum + rowsOf(snapshot, name), 0);
}

type FigureRows = ReadonlyMap<string, string>;

async function readFigures(context: RehearsalContext, client: Client): Promise<FigureRows[]> {
  const tables: FigureRows[] = [];
  for (const { sql } of context.expectations.figures) {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
    tables.push(new Map(rows.map((row) => [String(row[0]), String(row[1])])));
  }
  return tables;
}

function sideBySide(before: FigureRows = new Map(), afterUp: FigureRows = new Map(), afterDown: FigureRows = new Map()): FigureTable["rows"] {
  const names = [...new Set([...before.keys(), ...afterUp.keys(), ...afterDown.keys()])];
  const of = (figures: FigureRows, name: string) => figures.get(name) ?? "0";
  return names.map((name) => ({ name, before: of(before, name), afterUp: of(afterUp, name), afterDown: of(afterDown, name) }));
}
