import { availableParallelism } from "node:os";

/** How much of production a copy may use. */
export interface SourceBounds {
  /** Sessions on the source at a time, pg_dump's and the watch's included; default as many as cores here, 2 to 4. */
  readonly maxConnections?: number | undefined;
  /** Rows read a second, all sessions together, to be copied and proved; default as many as it gives. */
  readonly maxRowsPerSecond?: number | undefined;
  /** The copy stops when a standby is further behind its primary than this (the source itself, or one that follows it), seconds. */
  readonly maxReplicationLagSeconds?: number | undefined;
  /** The copy stops when more sessions of others than this are at work on the source. */
  readonly maxActiveSessions?: number | undefined;
}

/** One session holds the snapshot while pg_dump reads the schema. */
const fewestConnections = 2;

export function isWatched({ maxReplicationLagSeconds, maxActiveSessions }: SourceBounds): boolean {
  return maxReplicationLagSeconds !== undefined || maxActiveSessions !== undefined;
}

/** Sessions that read rows at a time. */
export function readingSessions(bounds: SourceBounds): number {
  const { maxConnections = Math.min(4, Math.max(fewestConnections, availableParallelism())) } = bounds;
  return Math.max(1, maxConnections - (isWatched(bounds) ? 1 : 0));
}

/** What is wrong with the bounds, in words. */
export function wrongBounds(bounds: SourceBounds): string[] {
  const problems: string[] = [];
  const least = fewestConnections + (isWatched(bounds) ? 1 : 0);
  const wrong = (name: keyof SourceBounds, fewest: number, why = ""): void => {
    const value = bounds[name];
    if (value !== undefined && (!Number.isFinite(value) || value < fewest)) problems.push(`${name} is ${value}, at least ${fewest} is needed${why}`);
  };
  wrong("maxConnections", least, isWatched(bounds) ? ": one holds the snapshot, one dumps the schema, one watches the load" : ": one holds the snapshot while another dumps the schema");
  wrong("maxRowsPerSecond", 1);
  wrong("maxReplicationLagSeconds", 0);
  wrong("maxActiveSessions", 0);
  return problems;
}
