import type { ConnectionSettings } from "../postgres/connection.ts";
import type { OnProgress } from "../progress.ts";
import type { StagingDatabase } from "../staging/database.ts";
import type { Workload } from "../workload/manifest.ts";
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
