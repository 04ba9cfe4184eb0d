import type { Client } from "pg";
import { messageOf } from "../../errors.ts";
import { interrupted } from "../../postgres/session.ts";
import type { MigrationFile, Statement } from "../source/statement.ts";
import { placeOf } from "../source/statement.ts";
import { isTransactionControl, opensTransaction, standsAlone } from "../source/transaction.ts";
import { defaultRetries, isRetryable, pauseMs } from "./retry.ts";
import type { RetryPolicy } from "./retry.ts";
import type { StatementTrace, Tracer } from "./tracer.ts";

export interface ApplyOptions {
  readonly file: MigrationFile;
  /** A session of the owner's, used for nothing else meanwhile. */
  readonly session: Client;
  readonly tracer?: Tracer;
  /** Default: {@link defaultRetries}. */
  readonly retries?: RetryPolicy;
  /** Called before a statement is sent; it may wait. */
  readonly beforeStatement?: (statement: Statement) => Promise<void> | void;
  /** Called after a statement has run, before its transaction goes on or ends. */
  readonly afterStatement?: (statement: Statement) => Promise<void> | void;
  /** Called after each failed attempt that will be repeated. */
  readonly onRetry?: (attempt: number, state: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** One statement as it went. Times of `performance.now()`. */
export interface StatementRun {
  readonly statement: Statement;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly rows: number | undefined;
  readonly trace: StatementTrace | undefined;
}

export interface Refusal {
  /** `0001_name.up.sql:12`. */
  readonly place: string;
  readonly statement: number;
  readonly message: string;
  /** SQLSTATE, where the server gave one. */
  readonly state: string | undefined;
}

export interface Applied {
  readonly succeeded: boolean;
  readonly refusal: Refusal | undefined;
  /** The statements of the last attempt. */
  readonly runs: readonly StatementRun[];
  /** Attempts of the whole file, or of its most repeated statement where each runs on its own. */
  readonly attempts: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** The server's word on why, in one line: `0001_x.up.sql:3: column "a" does not exist (42703)`. */
export function describeRefusal(refusal: Refusal | undefined): string {
  if (refusal === undefined) return "no error";
  return `${refusal.place}: ${refusal.message}${refusal.state === undefined ? "" : ` (${refusal.state})`}`;
}

/**
 * Applies one file as a careful runner would: in one transaction where the file allows it, else statement by statement;
 * tried again only after a lock timeout, a deadlock or a serialization failure, with growing, jittered pauses.
 * A refused file is a result, not an exception.
 * @throws UnderstudyError (exit 130) when interrupted.
 */
export async function applyFile(options: ApplyOptions): Promise<Applied> {
  const startedAt = performance.now();
  const outcome = options.file.withoutTransaction === undefined ? await applyWhole(options) : await applySingly(options);
  return { ...outcome, startedAt, endedAt: performance.now() };
}

type Outcome = Omit<Applied, "startedAt" | "endedAt">;

async function applyWhole(options: ApplyOptions): Promise<Outcome> {
  const { session, file, retries = defaultRetries } = options;
  for (let attempt = 1; ; attempt += 1) {
    const runs: StatementRun[] = [];
    let current = file.statements[0];
    try {
      await session.query("BEGIN");
      for (const statement of file.statements) {
        current = statement;
        runs.push(await runStatement(options, statement, true));
      }
      await session.query("COMMIT");
      options.tracer?.transactionEnded(performance.now());
      return { succeeded: true, refusal: undefined, runs, attempts: attempt };
    } catch (error) {
      await session.query("ROLLBACK").catch(() => {});
      options.tracer?.transactionEnded(performance.now());
      if (await mayTryAgain(options, error, attempt, retries)) continue;
      return { succeeded: false, refusal: refusalOf(file, current, error), runs, attempts: attempt };
    }
  }
}

async function applySingly(options: ApplyOptions): Promise<Outcome> {
  const { session, file, retries = defaultRetries } = options;
  const ownTransactions = file.statements.some(isTransactionControl);
  const runs: StatementRun[] = [];
  let most = 1;
  /** Where the file's own transaction began: what is repeated is repeated from there. */
  let blockStart: number | undefined;
  let attempt = 1;
  for (let position = 0; position < file.statements.length; ) {
    const statement = file.statements[position];
    if (statement === undefined) break;
    const wrap = !ownTransactions && isTraceable(statement);
    try {
      if (wrap) await session.query("BEGIN");
      if (opensTransaction(statement)) blockStart = position;
      runs.push(await runStatement(options, statement, wrap || (blockStart !== undefined && !isTransactionControl(statement))));
      if (wrap) await session.query("COMMIT");
      if (isTransactionControl(statement) && !opensTransaction(statement)) blockStart = undefined;
      if (blockStart === undefined) {
        options.tracer?.transactionEnded(performance.now());
        attempt = 1;
      }
      position += 1;
    } catch (error) {
      if (session.getTransactionStatus() !== "I") await session.query("ROLLBACK").catch(() => {});
      options.tracer?.transactionEnded(performance.now());
      if (!(await mayTryAgain(options, error, attempt, retries))) return { succeeded: false, refusal: refusalOf(file, statement, error), runs, attempts: most };
      attempt += 1;
      most = Math.max(most, attempt);
      position = blockStart ?? position;
      runs.splice(position);
    }
  }
  return { succeeded: true, refusal: undefined, runs, attempts: most };
}

/** Whether a BEGIN and a COMMIT around it change nothing: then its locks can be read from inside. */
function isTraceable(statement: Statement): boolean {
  return standsAlone(statement) === undefined && !["DoStmt", "CallStmt", "VariableSetStmt", "TransactionStmt"].includes(statement.kind);
}

async function runStatement(options: ApplyOptions, statement: Statement, inTransaction: boolean): Promise<StatementRun> {
  const { session, tracer } = options;
  await options.beforeStatement?.(statement);
  if (options.signal?.aborted === true) throw interrupted("The migration rehearsal");
  const startedAt = performance.now();
  const result = await session.query(statement.sql);
  const endedAt = performance.now();
  const trace = tracer === undefined ? undefined : inTransaction ? await tracer.afterLocked(statement, startedAt) : await tracer.afterAlone();
  await options.afterStatement?.(statement);
  return { statement, startedAt, endedAt, rows: result.rowCount ?? undefined, trace };
}

async function mayTryAgain(options: ApplyOptions, error: unknown, attempt: number, policy: RetryPolicy): Promise<boolean> {
  if (options.signal?.aborted === true) throw interrupted("The migration rehearsal");
  if (!isRetryable(error) || attempt >= policy.attempts) return false;
  options.onRetry?.(attempt, stateOf(error) ?? "");
  await new Promise((resolve) => setTimeout(resolve, pauseMs(policy, attempt + 1)));
  return true;
}

function refusalOf(file: MigrationFile, statement: Statement | undefined, error: unknown): Refusal {
  return {
    place: statement === undefined ? file.name : placeOf(file, statement),
    statement: statement?.index ?? 0,
    message: messageOf(error),
    state: stateOf(error),
  };
}

function stateOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
