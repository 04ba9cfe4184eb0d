import type { Statement } from "../source/statement.ts";
import { stoppedBy } from "./locks.ts";
import type { HeldLock } from "./locks.ts";
import { probeEvery, probeLocked } from "./probe.ts";
import type { Probe, ProbedRelation, ReadProbe } from "./probe.ts";

/** What one statement was seen to do. */
export interface StatementTrace {
  readonly walBytes: number;
  readonly sizeChangeBytes: number;
  /** Tables and materialized views that were there before and got a new file. */
  readonly rewrites: readonly string[];
  /** Indexes that were there before and were built anew. */
  readonly indexRebuilds: readonly string[];
  /** Tables read from end to end, with the rows read. */
  readonly scans: readonly { readonly relation: string; readonly rows: number }[];
  /** Row versions written. */
  readonly changedRows: number;
  /** Blocks of tables and indexes asked for, and those that were not in shared buffers; undefined for a statement on its own. */
  readonly blocks: { readonly asked: number; readonly read: number } | undefined;
}

interface Acquired {
  readonly relation: string;
  readonly mode: string;
  readonly fromMs: number;
  readonly statement: number;
}

/**
 * Watches a migration from inside its own session: after each statement, one round trip reads the locks it holds
 * and the files, sizes and scans of the relations behind them. The probe's own time is not counted as the statement's.
 */
export class Tracer {
  readonly #read: ReadProbe;
  /** `performance.now()` that all times count from. */
  readonly startedAt: number;
  readonly #known = new Map<number, ProbedRelation>();
  readonly #original = new Set<number>();
  #walBytes = 0;
  #acquired = new Map<string, Acquired>();
  #scans = new Map<number, ProbedRelation>();
  readonly locks: HeldLock[] = [];

  private constructor(read: ReadProbe, startedAt: number) {
    this.#read = read;
    this.startedAt = startedAt;
  }

  /** Reads the state of every relation; `startedAt` (of `performance.now()`) is the zero of all times. */
  static async start(read: ReadProbe, startedAt: () => number): Promise<Tracer> {
    const probe = await probeEvery(read);
    const tracer = new Tracer(read, startedAt());
    tracer.#walBytes = probe.walBytes;
    for (const relation of probe.relations) {
      tracer.#known.set(relation.oid, relation);
      tracer.#original.add(relation.oid);
    }
    return tracer;
  }

  /** Tables that were there before the migration and were not empty. */
  get filledTables(): string[] {
    return [...this.#known.values()].filter(({ oid, kind, sizeBytes }) => kind === "r" && sizeBytes > 0 && this.#original.has(oid)).map(({ name }) => name);
  }

  /** After a statement inside a transaction. */
  async afterLocked(statement: Statement, statementStartedAt: number): Promise<StatementTrace> {
    const probe = await probeLocked(this.#read);
    const fromMs = statementStartedAt - this.startedAt;
    for (const relation of probe.relations) {
      const name = this.#known.get(relation.oid)?.name ?? relation.name;
      const ofTable = ["r", "p", "m"].includes(relation.kind);
      for (const mode of relation.modes.filter((held) => ofTable || stoppedBy(held) !== "nobody")) {
        const key = `${relation.oid} ${mode}`;
        if (!this.#acquired.has(key)) this.#acquired.set(key, { relation: name, mode, fromMs, statement: statement.index });
      }
    }
    const scans = probe.relations.flatMap((relation) => this.#scanOf(relation));
    const grown = (relation: ProbedRelation, count: "changedRows" | "blocks" | "blocksHit") => Math.max(0, relation[count] - (this.#scans.get(relation.oid)?.[count] ?? 0));
    const sum = (count: "changedRows" | "blocks" | "blocksHit", relations = probe.relations) => relations.reduce((total, relation) => total + grown(relation, count), 0);
    const changedRows = sum("changedRows", probe.relations.filter(({ kind }) => kind === "r"));
    const asked = sum("blocks");
    const blocks = { asked, read: Math.max(0, asked - sum("blocksHit")) };
    for (const relation of probe.relations) this.#scans.set(relation.oid, relation);
    return { ...this.#filesOf(probe), scans, changedRows, blocks };
  }

  /** After a statement that ran on its own. */
  async afterAlone(): Promise<StatementTrace> {
    return { ...this.#filesOf(await probeEvery(this.#read)), scans: [], changedRows: 0, blocks: undefined };
  }

  /** The transaction has ended; its locks were held until `endedAt`. */
  transactionEnded(endedAt: number): void {
    for (const lock of this.#acquired.values()) {
      this.locks.push({ ...lock, toMs: endedAt - this.startedAt, source: "trace" });
    }
    this.#acquired = new Map();
    this.#scans = new Map();
  }

  #scanOf(relation: ProbedRelation): { relation: string; rows: number }[] {
    const before = this.#scans.get(relation.oid);
    const scans = relation.scans - (before?.scans ?? 0);
    const rows = relation.scannedRows - (before?.scannedRows ?? 0);
    return relation.kind === "r" && scans > 0 && rows > 0 ? [{ relation: relation.name, rows }] : [];
  }

  #filesOf(probe: Probe): Pick<StatementTrace, "walBytes" | "sizeChangeBytes" | "rewrites" | "indexRebuilds"> {
    const rewritten: ProbedRelation[] = [];
    let sizeChangeBytes = 0;
    for (const relation of probe.relations) {
      const before = this.#known.get(relation.oid);
      sizeChangeBytes += relation.sizeBytes - (before?.sizeBytes ?? 0);
      if (before !== undefined && before.fileNode !== relation.fileNode && this.#original.has(relation.oid) && before.sizeBytes > 0) rewritten.push(relation);
      this.#known.set(relation.oid, { ...relation, name: before?.name ?? relation.name });
    }
    const walBytes = Math.max(0, probe.walBytes - this.#walBytes);
    this.#walBytes = probe.walBytes;
    return {
      walBytes,
      sizeChangeBytes,
      rewrites: rewritten.filter(({ kind }) => kind !== "i").map(({ name }) => name),
      indexRebuilds: rewritten.filter(({ kind }) => kind === "i").map(({ name }) => name),
    };
  }
}
