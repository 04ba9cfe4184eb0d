import { exitCode, UnderstudyError } from "../errors.ts";
import type { ConnectionSettings } from "../postgres/connection.ts";
import type { OnProgress } from "../progress.ts";
import type { StagingDatabase } from "../staging/database.ts";
import type { Workload } from "../workload/manifest.ts";
import { wrongBounds } from "./sourceBounds.ts";
import type { SourceBounds } from "./sourceBounds.ts";

/** What a copy and its dry run need. */
export interface CopyOptions {
  /** Production; only ever read. */
  readonly source: ConnectionSettings;
  readonly staging: StagingDatabase;
  readonly workload: Workload;
  /** Must be the one in the staging database's marker. */
  readonly stack: string;
  /** Secret of the stack, at least 16 characters: the same one masks the same value alike, another has nothing in common. */
  readonly maskingKey: string;
  /** Rows of each root table without a limit of its own; infinity for all. Default from subset.yaml. */
  readonly limit?: number;
  /** Nothing is written on either server. Default false. */
  readonly dryRun?: boolean;
  readonly reportsFolder: string;
  /** Let a source's role through that could write. Its sessions are READ ONLY all the same. Default false. */
  readonly allowWritableSource?: boolean;
  /** How much of the source may be used, and when the copy stops for its sake. */
  readonly sourceBounds?: SourceBounds;
  readonly onProgress: OnProgress;
  readonly signal?: AbortSignal | undefined;
}

const shortestKey = 16;

/** @throws UnderstudyError (exit 2) that names everything that is wrong at once. */
export function refuseBadOptions({ maskingKey, limit, sourceBounds = {} }: CopyOptions): void {
  const problems = wrongBounds(sourceBounds);
  if (maskingKey.length < shortestKey) problems.push(`the masking key has ${maskingKey.length} characters, at least ${shortestKey} are needed`);
  if (limit !== undefined && limit !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(limit) || limit < 1)) {
    problems.push(`limit is ${limit}, a whole number of at least 1 is needed`);
  }
  if (problems.length > 0) throw new UnderstudyError(`The copy cannot start: ${problems.join("; ")}.`, { exitCode: exitCode.usage });
}
