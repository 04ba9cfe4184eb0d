import type { Client } from "pg";
import { messageOf } from "../../errors.ts";
import type { ConnectionSettings } from "../../postgres/connection.ts";
import type { HeldLock, LockWait } from "./locks.ts";
import { backendOf, openSession } from "./session.ts";

export interface SamplerOptions {
  /** A superuser on the clone, so that every session's locks are seen. */
  readonly settings: ConnectionSettings;
  /** The migration's server processes, as they are by now. */
  readonly migrationPids: () => readonly number[];
  /** Default 10. */
  readonly intervalMs?: number;
  /** `performance.now()` that counts as zero. */
  readonly startedAt: number;
}

export interface Samples {
  readonly locks: readonly HeldLock[];
  readonly waits: readonly LockWait[];
  readonly count: number;
  /** Mean time from one sample to the next: what is shorter may not have been seen. */
  readonly resolutionMs: number;
  /** Why sampling ended early. */
  readonly problem: string | undefined;
}

interface SampleRow {
  readonly pid: number;
  readonly who: string;
  readonly relation: string | null;
  readonly mode: string;
  readonly granted: boolean;
  readonly blocked: boolean;
}

const sampleSql = `
  SELECT l.pid, coalesce(a.application_name, '') AS who, l.mode, l.granted,
         CASE WHEN l.locktype IN ('relation', 'tuple') THEN coalesce((SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.oid = l.relation AND n.nspname !~ '^pg_'), 'relation ' || l.relation) END AS relation,
         NOT l.granted AND $1::int[] && pg_blocking_pids(l.pid) AS blocked
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
   WHERE a.datname = current_database() AND l.pid <> pg_backend_pid()
     AND (NOT l.granted OR (l.pid = ANY ($1::int[]) AND l.locktype = 'relation' AND l.relation >= 16384 AND l.mode <> 'AccessShareLock'
          AND (l.mode NOT IN ('RowShareLock', 'RowExclusiveLock') OR (SELECT c.relkind FROM pg_class c WHERE c.oid = l.relation) IN ('r', 'p', 'm'))))`;

interface Interval {
  row: SampleRow;
  fromMs: number;
  toMs: number;
  seen: number;
}

/**
 * Looks at `pg_locks` from beside the migration, again and again: what it holds (statements that run on their own
 * included), and who waits for whom. Ends when `stop` is called.
 */
export class LockSampler {
  readonly #options: SamplerOptions;
  readonly #client: Client;
  readonly #open = new Map<string, Interval>();
  readonly #closed: Interval[] = [];
  readonly #pids = new Set<number>();
  readonly #loop: Promise<void>;
  #stopped = false;
  #count = 0;
  #firstAt = 0;
  #lastAt = 0;
  #problem: string | undefined;

  private constructor(options: SamplerOptions, client: Client) {
    this.#options = options;
    this.#client = client;
    this.#loop = this.#run();
  }

  static async start(options: SamplerOptions): Promise<LockSampler> {
    const client = await openSession(options.settings, "understudy lock sampler");
    await backendOf(client);
    return new LockSampler(options, client);
  }

  /** What is waiting now, as of the last sample. */
  get waitingNow(): readonly SampleRow[] {
    return [...this.#open.values()].filter(({ row, seen }) => !row.granted && seen === this.#count).map(({ row }) => row);
  }

  async stop(): Promise<Samples> {
    this.#stopped = true;
    await this.#loop;
    await this.#client.end().catch(() => {});
    const intervals = [...this.#closed, ...this.#open.values()];
    return {
      locks: intervals
        .filter(({ row }) => row.granted)
        .map(({ row, fromMs, toMs }): HeldLock => ({ relation: row.relation ?? "", mode: row.mode, fromMs, toMs, statement: undefined, source: "sampler" })),
      waits: intervals
        .filter(({ row }) => !row.granted)
        .map(({ row, fromMs, toMs }): LockWait => ({
          who: row.who,
          relation: row.relation ?? undefined,
          mode: row.mode,
          fromMs,
          toMs,
          behindMigration: row.blocked,
          isMigration: this.#pids.has(row.pid),
        })),
      count: this.#count,
      resolutionMs: this.#count > 1 ? (this.#lastAt - this.#firstAt) / (this.#count - 1) : 0,
      problem: this.#problem,
    };
  }

  async #run(): Promise<void> {
    const { intervalMs = 10, migrationPids, startedAt } = this.#options;
    while (!this.#stopped) {
      const sampledAt = performance.now();
      const pids = migrationPids();
      for (const pid of pids) this.#pids.add(pid);
      try {
        const { rows } = await this.#client.query<SampleRow>({ name: "locks", text: sampleSql, values: [pids] });
        this.#take(rows, sampledAt - startedAt);
      } catch (error) {
        this.#problem = messageOf(error);
        return;
      }
      this.#firstAt ||= sampledAt;
      this.#lastAt = sampledAt;
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, intervalMs - (performance.now() - sampledAt))));
    }
  }

  #take(rows: readonly SampleRow[], atMs: number): void {
    this.#count += 1;
    for (const row of rows) {
      const key = `${row.pid} ${row.relation ?? ""} ${row.mode} ${row.granted}`;
      const interval = this.#open.get(key);
      if (interval === undefined) this.#open.set(key, { row, fromMs: atMs, toMs: atMs, seen: this.#count });
      else {
        interval.toMs = atMs;
        interval.seen = this.#count;
        if (row.blocked && !interval.row.blocked) interval.row = row;
      }
    }
    for (const [key, interval] of this.#open) {
      if (interval.seen === this.#count) continue;
      interval.toMs = atMs;
      this.#closed.push(interval);
      this.#open.delete(key);
    }
  }
}
