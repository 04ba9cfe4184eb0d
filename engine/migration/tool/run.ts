import { interrupted } from "../../postgres/session.ts";
import type { ConnectionSettings } from "../../postgres/connection.ts";
import type { Applied, ApplyOptions, Refusal, StatementRun } from "../run/apply.ts";
import { Tracer } from "../run/tracer.ts";
import type { HeldLock } from "../run/locks.ts";
import type { Probe } from "../run/probe.ts";
import { defaultRetries, pauseMs, retryableStates } from "../run/retry.ts";
import { reachesBeyondClone } from "../source/parse.ts";
import type { Direction, Statement } from "../source/statement.ts";
import { isTransactionControl } from "../source/transaction.ts";
import { commandOf, endTool, startTool } from "./command.ts";
import type { MigrationTool } from "./command.ts";
import { Relay } from "./relay.ts";
import type { RelayedConnection, SentQuery } from "./relay.ts";
import { onlyReads, parseQuery } from "./statements.ts";

export interface ToolRunOptions extends Pick<ApplyOptions, "beforeStatement" | "afterStatement" | "onRetry" | "retries" | "signal"> {
  readonly tool: MigrationTool;
  readonly direction: Direction;
  /** The clone, as its owner. */
  readonly connection: ConnectionSettings;
  readonly count: number;
  /** Reads locks, files and scans in the tool's own sessions, between its statements. */
  readonly trace: boolean;
  /** `performance.now()` that a trace's times count from. */
  readonly startedAt: number;
  /** Told the relay before the tool starts: through it the tool's sessions are known. */
  readonly onListen: (relay: Relay) => Promise<void> | void;
}

/** As {@link Applied}, with the locks that the tool's sessions held. */
export interface ToolApplied extends Applied {
  readonly locks: readonly HeldLock[];
}

/** A tool that has no session left and still does not end is ended. */
const longestSilenceMs = 20_000;

/**
 * Runs one direction of a tool on a clone, through a relay that sees every statement. Run again after a lock timeout, a deadlock
 * or a serialization failure, as whoever deploys would. A tool that fails is a result, not an exception.
 * @throws UnderstudyError exit 2 when the tool cannot be started, exit 130 when interrupted.
 */
export async function runTool(options: ToolRunOptions): Promise<ToolApplied> {
  const { retries = defaultRetries, signal } = options;
  const startedAt = performance.now();
  for (let attempt = 1; ; attempt += 1) {
    const course = new Course(options);
    const refusal = await course.run();
    if (signal?.aborted === true) throw interrupted("The migration rehearsal");
    const mayTryAgain = refusal !== undefined && retryableStates.some((state) => state === refusal.state) && attempt < retries.attempts;
    if (!mayTryAgain) {
      return { succeeded: refusal === undefined, refusal, runs: course.runs, attempts: attempt, startedAt, endedAt: performance.now(), locks: course.locks };
    }
    options.onRetry?.(attempt, refusal.state ?? "");
    await new Promise((resolve) => setTimeout(resolve, pauseMs(retries, attempt + 1)));
  }
}

/** One run of the command. */
class Course {
  readonly runs: StatementRun[] = [];
  readonly locks: HeldLock[] = [];
  readonly #options: ToolRunOptions;
  readonly #tracers = new Map<RelayedConnection, Tracer>();
  readonly #statements = new Map<SentQuery, readonly Statement[]>();
  #count = 0;
  #lastError: Refusal | undefined;
  #lastSeenAt = performance.now();

  constructor(options: ToolRunOptions) {
    this.#options = options;
  }

  /** Why it failed; undefined when it did not. */
  async run(): Promise<Refusal | undefined> {
    const { tool, direction, connection, count, signal } = this.#options;
    const relay = await Relay.listen(connection, {
      onConnect: (session) => this.#begin(session),
      beforeQuery: (query) => this.#before(query),
      afterQuery: (query) => this.#after(query),
    });
    try {
      await this.#options.onListen(relay);
      const { child, ended } = startTool({ tool, command: commandOf(tool, direction), connection: { ...connection, host: "127.0.0.1", port: relay.port }, count });
      const stop = (): void => endTool(child);
      signal?.addEventListener("abort", stop, { once: true });
      const watch = setInterval(() => {
        if (relay.pids.length > 0) this.#lastSeenAt = performance.now();
        else if (performance.now() - this.#lastSeenAt > longestSilenceMs) stop();
      }, 250);
      const { code, lastWords } = await ended.finally(() => {
        clearInterval(watch);
        signal?.removeEventListener("abort", stop);
      });
      for (const tracer of this.#tracers.values()) {
        tracer.transactionEnded(performance.now());
        this.locks.push(...tracer.locks);
      }
      return code === 0 ? undefined : (this.#lastError ?? { place: `${tool.name} ${direction}`, statement: 0, message: `ended with ${code ?? "a signal"}: ${lastWords}`, state: undefined });
    } finally {
      await relay.close();
    }
  }

  async #begin(session: RelayedConnection): Promise<void> {
    if (!this.#options.trace) return;
    const read = async (sql: string): Promise<Probe | undefined> => {
      const [row] = await session.ask(`SELECT row_to_json(probe)::text FROM (${sql}) AS probe`);
      return row === undefined ? undefined : (JSON.parse(row) as Probe);
    };
    this.#tracers.set(session, await Tracer.start(read, () => this.#options.startedAt));
  }

  async #before(query: SentQuery): Promise<void> {
    const parsed = await parseQuery(query.sql);
    const beyond = parsed.find(({ kind, node }) => reachesBeyondClone(kind, node));
    if (beyond !== undefined) {
      this.#fail(this.#count, "a statement on a whole database or server reaches beyond the clone that is rehearsed on", undefined);
      query.connection.end();
      return;
    }
    const statements = parsed.filter((statement) => !onlyReads(statement)).map((statement): Statement => {
      const index = this.#count;
      this.#count += 1;
      return { ...statement, index, line: index + 1 };
    });
    this.#statements.set(query, statements);
    for (const statement of statements) await this.#options.beforeStatement?.(statement);
  }

  /** What was sent as one text cannot be told apart: its first statement has all the time. */
  async #after(query: SentQuery): Promise<void> {
    const { connection, startedAt, endedAt = startedAt, error, rows } = query;
    const statements = this.#statements.get(query) ?? [];
    this.#statements.delete(query);
    if (error !== undefined) this.#fail(statements[0]?.index ?? this.#count, error.message, error.state);
    const tracer = this.#tracers.get(connection);
    if (connection.state === "I") tracer?.transactionEnded(endedAt);
    const last = statements.at(-1);
    if (error !== undefined || last === undefined) return;
    const canTrace = tracer !== undefined && connection.canBeAsked && !isTransactionControl(last) && last.kind !== "VariableSetStmt";
    const trace = !canTrace ? undefined : connection.state === "T" ? await tracer.afterLocked(last, startedAt) : await tracer.afterAlone();
    for (const [place, statement] of statements.entries()) {
      this.runs.push({ statement, startedAt: place === 0 ? startedAt : endedAt, endedAt, rows: statement === last ? rows : undefined, trace: statement === last ? trace : undefined });
    }
    for (const statement of statements) await this.#options.afterStatement?.(statement);
  }

  #fail(index: number, message: string, state: string | undefined): void {
    const { tool, direction } = this.#options;
    this.#lastError = { place: `${tool.name} ${direction}:${index + 1}`, statement: index, message, state };
  }
}
