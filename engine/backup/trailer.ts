import { z } from "zod";

/** Where `pg_dump` says that nothing is missing. */
export const completeMarker = "-- PostgreSQL database dump complete";

const prefix = "-- understudy backup ";

/** What the last line of a backup says of it; a comment to psql. */
export const backupTrailer = z.object({
  version: z.literal(1),
  stack: z.string(),
  database: z.string(),
  /** ISO 8601, UTC. */
  takenAt: z.iso.datetime(),
  /** Rows by table, counted in the dump's own snapshot. */
  tables: z.record(z.string(), z.int().nonnegative()),
});
export type BackupTrailer = z.infer<typeof backupTrailer>;

export function trailerLine(trailer: BackupTrailer): string {
  return `${prefix}${JSON.stringify(trailer)}\n`;
}

/** The trailer in a dump's last kilobytes; undefined for a dump that was not made here. */
export function parseTrailer(end: string): BackupTrailer | undefined {
  const line = end.split("\n").findLast((text) => text.startsWith(prefix));
  if (line === undefined) return undefined;
  try {
    return backupTrailer.safeParse(JSON.parse(line.slice(prefix.length))).data;
  } catch {
    return undefined;
  }
}
