import { randomBytes } from "node:crypto";
import { compactTimestamp } from "../report/fileName.ts";

/** What a backup's name tells. */
export interface BackupName {
  readonly stack: string;
  readonly at: Date;
  /** 1, or more for further backups in the same second. */
  readonly attempt: number;
}

/** `staging-backup-<stack>-<UTC timestamp>.sql.gz`: stacks that share a folder keep their backups apart. */
export function backupFileName({ stack, at, attempt }: BackupName): string {
  return `staging-backup-${stack}-${compactTimestamp(at)}${attempt === 1 ? "" : `-${attempt}`}.sql.gz`;
}

const pattern = /^staging-backup-(?<stack>.+)-(?<day>\d{8})T(?<time>\d{6})Z(?:-(?<attempt>\d+))?\.sql\.gz$/;

/** The inverse; undefined for a name that is not a backup's. */
export function parseBackupName(name: string): BackupName | undefined {
  const { stack, day, time, attempt = "1" } = pattern.exec(name)?.groups ?? {};
  if (stack === undefined || day === undefined || time === undefined) return undefined;
  const date = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}`;
  const at = new Date(`${date}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}Z`);
  return Number.isNaN(at.getTime()) ? undefined : { stack, at, attempt: Number(attempt) };
}

/** A name while it is written: hidden, its own, and with the writer's process id, so that a leftover is known as one. */
export function partialFileName(name: string, pid: number): string {
  return `.${name}.${randomBytes(4).toString("hex")}.${pid}.partial`;
}

/** The writer's process id of a half-written backup; undefined for any other name. */
export function partialWriter(name: string): number | undefined {
  const pid = /^\.staging-backup-.+\.sql\.gz\.[0-9a-f]+\.(\d+)\.partial$/.exec(name)?.[1];
  return pid === undefined ? undefined : Number(pid);
}
