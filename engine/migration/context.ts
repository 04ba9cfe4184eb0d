import type { Client } from "pg";
import type { OnProgress } from "../progress.ts";
import { stagingRoles } from "../staging/database.ts";
import type { Workload } from "../workload/manifest.ts";
import type { Board } from "./board.ts";
import type { CloneSet } from "./clones/cloneSet.ts";
import type { Expectations, MigrationExpectations } from "./expectations.ts";
import { applyFile } from "./run/apply.ts";
import type { Applied, ApplyOptions } from "./run/apply.ts";
import { backendOf, canonicalOutput, openSession } from "./run/session.ts";
import { LockSampler } from "./run/sampler.ts";
import type { Samples } from "./run/sampler.ts";
import type { Probe } from "./run/probe.ts";
import { Tracer } from "./run/tracer.ts";
import type { Direction, Migration, MigrationFile } from "./source/statement.ts";
import type { Relay } from "./tool/relay.ts";
import { runTool } from "./tool/run.ts";

/** How often something was done in the rehearsal that had to succeed, and how often it did. */
export interface Tally {
  attempted: number;
  succeeded: number;
}

/** What every scenario of one migration works with. */
export interface RehearsalContext {
  readonly clones: CloneSet;
  /** Clone in the state before this migration; nobody changes it. */
  readonly base: string;
  readonly migration: Migration;
  /** The one that comes after it, pending as well. */
  readonly next: Migration | undefined;
  readonly document: Expectations;
  readonly expectations: MigrationExpectations;
  readonly workload: Workload;
  readonly board: Board;
  readonly tally: Readonly<Record<Direction, Tally>>;
  readonly targetRows: number | undefined;
  readonly onProgress: OnProgress;
  readonly signal: AbortSignal | undefined;
}

/** Runs `use` on a fresh clone of the state before the migration, and drops it. */
export async function withClone<Result>(context: RehearsalContext, use: (clone: string) => Promise<Result>, template = context.base): Promise<Result> {
  const clone = await context.clones.clone(template, context.signal);
  try {
    return await use(clone);
  } finally {
    await context.clones.drop(clone);
  }
}

/** Runs `use` with a superuser session that writes values canonically. */
export async function withObserver<Result>(context: RehearsalContext, clone: string, use: (client: Client) => Promise<Result>): Promise<Result> {
  return withLazyObserver(context, clone, async (open) => use(await open()));
}

/** As {@link withObserver}, with a session that is opened when first asked for, for what is seldom needed. */
export async function withLazyObserver<Result>(
  context: RehearsalContext,
  clone: string,
  use: (open: () => Promise<Client>) => Promise<Result>,
): Promise<Result> {
  let session: Promise<Client> | undefined;
  const open = async (): Promise<Client> => {
    const client = await openSession(context.clones.settings(clone, "admin"), "understudy observer");
    await client.query(canonicalOutput);
    return client;
  };
  try {
    return await use(() => (session ??= open()));
  } finally {
    await session?.then((client) => client.end()).catch(() => {});
  }
}

/** Runs `use` with a session of the owner's or the application's. */
export async function withRole<Result>(context: RehearsalContext, clone: string, role: "owner" | "app", use: (client: Client) => Promise<Result>): Promise<Result> {
  const client = await openSession(context.clones.settings(clone, role), `understudy scenario (${stagingRoles[role]})`);
  try {
    await client.query("SET statement_timeout = '120s'; SET lock_timeout = '10s'");
    return await use(client);
  } finally {
    await client.end().catch(() => {});
  }
}

export interface MigrateOptions extends Pick<ApplyOptions, "beforeStatement" | "afterStatement" | "onRetry" | "retries"> {
  /** Reads locks, files and scans from inside and beside; default false. */
  readonly trace?: boolean;
  /** Whether a refusal counts against the success rate; default true. */
  readonly mustSucceed?: boolean;
  /** Told of the run before its first statement. */
  readonly onStart?: (run: Running) => Promise<void> | void;
}

/** A migration under way. */
export interface Running {
  readonly sampler: LockSampler | undefined;
  /** Its server processes by now. */
  pids(): readonly number[];
  /** Ends its sessions, as a crash would. */
  end(): Promise<void>;
}

export interface Migrated extends Applied {
  readonly file: MigrationFile;
  readonly tracer: Pick<Tracer, "startedAt" | "locks"> | undefined;
  readonly samples: Samples | undefined;
}

/** A run that is over its bound is let run on for as long again, so that it can be told by how much. */
const deadlineFactor = 2;

/** Applies one direction of the migration to a clone in a session of its own, as the owner, with a deadline. */
export async function migrate(context: RehearsalContext, clone: string, direction: Direction, options: MigrateOptions = {}): Promise<Migrated> {
  const file = direction === "up" ? context.migration.up : context.migration.down;
  if (file === undefined) throw new Error(`${context.migration.name} has no ${direction} file`);
  const run = file.tool === undefined ? await applyByUs(context, clone, file, options) : await applyByTool(context, clone, file, options);
  if (options.mustSucceed ?? true) {
    context.tally[direction].attempted += 1;
    if (run.succeeded) context.tally[direction].succeeded += 1;
  }
  return run;
}

async function applyByUs(context: RehearsalContext, clone: string, file: MigrationFile, options: MigrateOptions): Promise<Migrated> {
  const session = await openSession(context.clones.settings(clone, "owner"), "understudy migration");
  try {
    const pid = await backendOf(session);
    const tracer = options.trace === true ? await Tracer.start((sql) => session.query<Probe>(sql).then(({ rows }) => rows[0]), () => performance.now()) : undefined;
    const { result, samples } = await watched(context, clone, { pids: () => [pid], startedAt: tracer?.startedAt ?? performance.now(), options }, (onRetry) =>
      applyFile({ ...options, onRetry, file, session, ...(tracer === undefined ? {} : { tracer }), signal: context.signal }),
    );
    return { ...result, file, tracer, samples };
  } finally {
    await session.end().catch(() => {});
  }
}

async function applyByTool(context: RehearsalContext, clone: string, file: MigrationFile, options: MigrateOptions): Promise<Migrated> {
  if (file.tool === undefined) throw new Error(`${file.name} is no tool's`);
  const { tool, count } = file.tool;
  const startedAt = performance.now();
  let relay: Relay | undefined;
  const { result, samples } = await watched(context, clone, { pids: () => relay?.pids ?? [], startedAt, options }, (onRetry) =>
    runTool({
      ...options,
      tool,
      count,
      onRetry,
      direction: file.direction,
      connection: context.clones.settings(clone, "owner"),
      trace: options.trace === true,
      startedAt,
      onListen: (listening) => {
        relay = listening;
      },
      signal: context.signal,
    }),
  );
  return { ...result, file, tracer: options.trace === true ? { startedAt, locks: [...result.locks] } : undefined, samples };
}

interface Watched {
  readonly pids: () => readonly number[];
  readonly startedAt: number;
  readonly options: MigrateOptions;
}

/** Samples locks beside a run where asked to, and ends its sessions at the deadline or when interrupted. */
async function watched<Result>(
  context: RehearsalContext,
  clone: string,
  { pids, startedAt, options }: Watched,
  run: (onRetry: (attempt: number, state: string) => void) => Promise<Result>,
): Promise<{ result: Result; samples: Samples | undefined }> {
  const end = async (): Promise<void> => {
    for (const pid of pids()) await context.clones.terminate(pid);
  };
  const stop = (): void => void end().catch(() => {});
  let sampler: LockSampler | undefined;
  let late: NodeJS.Timeout | undefined;
  try {
    if (options.trace === true) sampler = await LockSampler.start({ settings: context.clones.settings(clone, "admin"), migrationPids: pids, startedAt });
    await options.onStart?.({ sampler, pids, end });
    late = setTimeout(stop, deadlineFactor * context.document.bounds.migrationMs);
    context.signal?.addEventListener("abort", stop, { once: true });
    const result = await run((attempt, state) => {
      void context.clones.endAutovacuum(clone).catch(() => {});
      options.onRetry?.(attempt, state);
    });
    const samples = await sampler?.stop();
    sampler = undefined;
    return { result, samples };
  } finally {
    clearTimeout(late);
    context.signal?.removeEventListener("abort", stop);
    await sampler?.stop();
  }
}
