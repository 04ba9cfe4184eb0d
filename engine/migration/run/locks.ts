/** PostgreSQL's table lock modes, weakest first. */
export const lockModes = [
  "AccessShareLock",
  "RowShareLock",
  "RowExclusiveLock",
  "ShareUpdateExclusiveLock",
  "ShareLock",
  "ShareRowExclusiveLock",
  "ExclusiveLock",
  "AccessExclusiveLock",
] as const;
export type LockMode = (typeof lockModes)[number];

/** What a lock stops for everybody else: `readers` means readers and writers. */
export function stoppedBy(mode: string): "nobody" | "writers" | "readers" {
  if (mode === "AccessExclusiveLock") return "readers";
  return ["ShareLock", "ShareRowExclusiveLock", "ExclusiveLock"].includes(mode) ? "writers" : "nobody";
}

/** `ACCESS EXCLUSIVE`, as the manual writes it. */
export function manualName(mode: string): string {
  return mode.replace(/Lock$/, "").replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ").toUpperCase();
}

/** A lock of the migration on one relation. Times in milliseconds since the migration began. */
export interface HeldLock {
  readonly relation: string;
  readonly mode: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Index of the statement that took it; undefined when only the sampler saw it. */
  readonly statement: number | undefined;
  /** `trace`: read in the migration's own transaction, exact to the statement; `sampler`: seen from beside it. */
  readonly source: "trace" | "sampler";
}

/** Somebody waiting for a lock. */
export interface LockWait {
  readonly who: string;
  readonly relation: string | undefined;
  readonly mode: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Whether the migration stood in the way. */
  readonly behindMigration: boolean;
  /** Whether it was the migration that waited. */
  readonly isMigration: boolean;
}
